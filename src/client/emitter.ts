/** A typed list of listeners by event name. A listener that throws does not keep others from theirs. */
export type Listener<T> = (event: T) => void;

export class Emitter<Events extends object> {
  private readonly listeners = new Map<keyof Events, Set<Listener<never>>>();

  /** Returns the function that takes the listener off again. */
  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    const known = this.listeners.get(name) ?? new Set<Listener<never>>();
    known.add(listener);
    this.listeners.set(name, known);
    return () => known.delete(listener);
  }

  has(name: keyof Events): boolean {
    return (this.listeners.get(name)?.size ?? 0) > 0;
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    const known = this.listeners.get(name) as Set<Listener<Events[Name]>> | undefined;
    if (known === undefined) return;
    for (const listener of known) callGuarded(listener, event, reportUnhandled);
  }
}

/** Tells of an error that no caller is there to catch. */
export type ReportError = (error: Error) => void;

export function callGuarded<T>(listener: Listener<T>, event: T, report: ReportError): void {
  try {
    listener(event);
  } catch (error) {
    report(error instanceof Error ? error : new Error(String(error)));
  }
}

/** The last resort: an unhandled rejection, which the host's own rules deal with. */
export function reportUnhandled(error: Error): void {
  void Promise.reject(error);
}
