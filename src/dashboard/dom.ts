/** Small steps on the document: finding what index.html promises, and writing only what changed. */
export function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`index.html has no element ${id}`);
  return found;
}

export function inputElement(id: string): HTMLInputElement {
  const found = element(id);
  if (!(found instanceof HTMLInputElement)) throw new Error(`${id} is no input`);
  return found;
}

/** Sets text only where it differs: an unchanged node costs no layout. */
export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function create(tag: string, className: string, role?: string): HTMLElement {
  const node = document.createElement(tag);
  if (className !== '') node.className = className;
  if (role !== undefined) node.setAttribute('role', role);
  return node;
}

/** A state is told by its shape and its word; the colour only repeats it. */
export function showState(node: HTMLElement, state: number, name: string, title: string): void {
  const value = String(state);
  if (node.dataset['state'] !== value) node.dataset['state'] = value;
  if (node.title !== title) node.title = title;
  const text = node.querySelector('.text');
  if (text !== null) setText(text, name);
}

export function stateNode(tag: string): HTMLElement {
  const node = create(tag, 'state');
  const mark = create('span', 'mark');
  mark.setAttribute('aria-hidden', 'true');
  node.append(mark, create('span', 'text'));
  return node;
}
