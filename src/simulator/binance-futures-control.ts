/**
 * Client messages of Binance USDⓈ-M's market streams and the answers to them: SUBSCRIBE,
 * UNSUBSCRIBE, LIST_SUBSCRIPTIONS, SET_PROPERTY, GET_PROPERTY, with the venue's error texts
 * (developers.binance.com, USDⓈ-M futures, "Live Subscribing/Unsubscribing to streams").
 * Simulator's thread; cold. Pure: text in, meaning out.
 */
type SubscriptionMethod = 'SUBSCRIBE' | 'UNSUBSCRIBE';
type PropertyMethod = 'GET_PROPERTY' | 'SET_PROPERTY';

export type ClientRequest =
  | { readonly method: SubscriptionMethod; readonly params: string[]; readonly id: Id }
  | { readonly method: 'LIST_SUBSCRIPTIONS'; readonly id: Id }
  | { readonly method: 'GET_PROPERTY'; readonly name: string; readonly id: Id }
  | {
      readonly method: 'SET_PROPERTY';
      readonly name: string;
      readonly value: boolean;
      readonly id: Id;
    }
  | { readonly method: 'invalid'; readonly answer: string };

type Id = number | string | null;

const METHODS = '`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`';
const ID_TEXT_LENGTH_MAX = 36;

export function readClientRequest(text: string): ClientRequest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return invalid(3, `Invalid JSON: expected value at line 1 column ${errorColumn(text)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return invalid(2, 'Invalid request: request must be an object');
  }
  const { method, params, id } = value as { method: unknown; params: unknown; id: unknown };
  if (method === undefined) return invalid(2, 'Invalid request: missing field `method`');
  if (!isId(id)) return invalid(2, 'Invalid request: request ID must be an unsigned integer');
  const name = method as SubscriptionMethod | PropertyMethod | 'LIST_SUBSCRIPTIONS';
  switch (name) {
    case 'SUBSCRIBE':
    case 'UNSUBSCRIBE':
      if (params === undefined) return invalid(2, 'Invalid request: missing field `params`');
      if (!Array.isArray(params)) return invalid(2, 'Invalid request: params must be an array');
      return params.every((item) => typeof item === 'string')
        ? { method: name, params, id }
        : invalid(2, 'Invalid request: invalid type: expected a string');
    case 'LIST_SUBSCRIPTIONS':
      return { method: name, id };
    case 'GET_PROPERTY':
    case 'SET_PROPERTY':
      return readProperty(name, params, id);
    default:
      return invalid(
        2,
        `Invalid request: unknown variant \`${quoted(method)}\`, expected one of ${METHODS}`,
      );
  }
}

function readProperty(method: PropertyMethod, params: unknown, id: Id): ClientRequest {
  const [name, value]: unknown[] = Array.isArray(params) ? params : [];
  if (typeof name !== 'string') {
    return invalid(2, 'Invalid request: property name must be a string');
  }
  if (name !== 'combined') {
    return invalid(0, 'Unknown property');
  }
  if (method === 'GET_PROPERTY') return { method, name, id };
  if (typeof value !== 'boolean') return invalid(1, 'Invalid value type: expected Boolean');
  return { method, name, value, id };
}

function quoted(method: unknown): string {
  return (typeof method === 'string' ? method : JSON.stringify(method)).slice(0, 40);
}

function isId(id: unknown): id is Id {
  return (
    id === null ||
    (typeof id === 'number' && Number.isSafeInteger(id)) ||
    (typeof id === 'string' && id.length <= ID_TEXT_LENGTH_MAX)
  );
}

function invalid(code: number, msg: string): ClientRequest {
  return { method: 'invalid', answer: JSON.stringify({ code, msg }) };
}

/** Near enough: the venue counts columns from 1 and names the first that it cannot read. */
function errorColumn(text: string): number {
  const column = text.search(/[^\s]/);
  return column < 0 ? 1 : column + 1;
}

export function resultText(result: unknown, id: Id): string {
  return JSON.stringify({ result, id });
}
