// Elements, made without markup in texts.

export const byId = (id) => document.getElementById(id);

/** Makes an element; attributes that are undefined are left out. */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same for SVG. */
export function drawing(name, attributes = {}, ...children) {
  return filled(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

const shown = new WeakMap();

/** Replaces what is in `place` where `facts` are others than before, so that focus stays. */
export function show(place, facts, make) {
  const text = JSON.stringify(facts);
  if (shown.get(place) === text) return;
  shown.set(place, text);
  place.replaceChildren(...make(facts));
}

/** Makes the row of a table: the first cell is its head. */
export function row(cells, classes = []) {
  const made = cells.map((cell, index) =>
    element(index ? 'td' : 'th', { scope: index ? undefined : 'row', class: classes[index] }, cell),
  );
  return element('tr', {}, ...made);
}

/** Makes the pairs of a description list. */
export const pair = (term, ...description) =>
  element('div', {}, element('dt', {}, term), element('dd', {}, ...description));
