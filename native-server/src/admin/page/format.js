// Numbers and times as people read them.

const whole = new Intl.NumberFormat('en');
const fine = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

export const count = (number) => whole.format(number);
export const rate = (number) => (number >= 100 ? whole : fine).format(number);
export const share = (part, all) => `${fine.format(all ? (100 * part) / all : 0)} %`;

/** Writes how long something takes, from microseconds to days. */
export function span(seconds) {
  const units = [
    [86_400, 'd'], [3_600, 'h'], [60, 'min'], [1, 's'], [1e-3, 'ms'],
  ];
  const [size, unit] = units.find(([size]) => seconds >= size) ?? [1e-6, 'µs'];
  return `${fine.format(seconds / size)} ${unit}`;
}

export const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString();

/** Makes an element with a time, the whole of it on demand. */
export function moment(seconds) {
  const date = new Date(seconds * 1000);
  const made = document.createElement('time');
  made.dateTime = date.toISOString();
  made.title = date.toLocaleString();
  made.textContent = date.toLocaleTimeString();
  return made;
}
