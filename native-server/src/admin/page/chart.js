// What was decided per second over time: stacked bars, their legend, and the same as text and as a
// table.

import { byId, drawing, element, row, show } from './dom.js';
import { clock, count, rate, span } from './format.js';

export const OUTCOMES = ['forwarded', 'answered', 'refused', 'failed'];
const HEIGHT = 200;
const LEFT = 44;
const BOTTOM = 24;

/** More colours than these cannot be told apart. */
const MOST_REASONS = 5;

/** Sums what was decided between two samples by outcome. */
export function byOutcome({ decisions }) {
  const sums = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0]));
  for (const { outcome, count: times } of decisions) sums[outcome] += times;
  return sums;
}

export const total = (sums) => Object.values(sums).reduce((all, times) => all + times, 0);

/** Shows all decisions by outcome, and those that were not in order by reason. */
export function showCharts({ every_seconds: every, moments }) {
  byId('charts-none').hidden = moments.length > 0;
  byId('charts').hidden = moments.length === 0;
  if (!moments.length) return;
  byId('span').textContent = span(moments.length * every);
  const times = { every, at: moments.map((moment) => moment.at) };
  showChart('outcomes', OUTCOMES, moments.map(byOutcome), times);
  const { names, steps } = byReason(moments);
  showChart('faults', names, steps, times);
}

/** Sums the refusals and failures between samples by reason: the most frequent, and the others. */
function byReason(moments) {
  const faults = moments.map(({ decisions }) =>
    decisions.filter(({ outcome }) => outcome === 'refused' || outcome === 'failed'),
  );
  const sums = {};
  for (const { reason, count: times } of faults.flat()) sums[reason] = (sums[reason] ?? 0) + times;
  const sorted = Object.keys(sums).sort((one, other) => sums[other] - sums[one]);
  const named = sorted.slice(0, MOST_REASONS);
  const names = sorted.length > MOST_REASONS ? [...named, 'others'] : named;
  const steps = faults.map((decisions) => {
    const step = Object.fromEntries(names.map((name) => [name, 0]));
    for (const { reason, count: times } of decisions) {
      step[named.includes(reason) ? reason : 'others'] += times;
    }
    return step;
  });
  return { names, steps };
}

/** Shows one figure: `steps` has a number for each name, from one sample to the next. */
function showChart(id, names, steps, { every, at }) {
  const place = (part) => byId(`${id}-${part}`);
  show(place('legend'), names, () => names.map(key));
  const width = Math.max(240, place('chart').clientWidth);
  place('chart').setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
  const state = [width, names, at.at(-1)];
  show(place('chart'), state, () => bars(names, steps, { every, at, width }));
  const sums = names.map((name) => {
    const sum = steps.reduce((all, step) => all + step[name], 0);
    return `${count(sum)} ${name}`;
  });
  const peak = rate(Math.max(...steps.map(total)) / every);
  place('text').textContent = sums.length ? `${sums.join(', ')}; at most ${peak} per second.` : 'None.';
  show(place('table'), state, () => [table(names, steps, { every, at })]);
}

/** The colour of a name is that of its place. */
const colour = (index) => `series-${index}`;

const key = (name, index) =>
  element(
    'li', {},
    drawing('svg', { viewBox: '0 0 1 1', 'aria-hidden': 'true' },
      drawing('rect', { width: 1, height: 1, class: colour(index) })),
    name,
  );

/** Rounds up to 1, 2 or 5 times a power of ten. */
function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((digit) => digit * power).find((bound) => bound >= value);
}

function bars(names, steps, { every, at, width }) {
  const top = ceiling(Math.max(1, ...steps.map((step) => total(step) / every)));
  const floor = HEIGHT - BOTTOM;
  const height = (perSecond) => (perSecond / top) * (floor - 10);
  // A bar is not wider than a finger, however few there are.
  const each = Math.min(16, (width - LEFT) / steps.length);
  const left = (index) => width - (steps.length - index) * each;
  const parts = steps.flatMap((step, index) => {
    let below = floor;
    return names.map((name, place) => {
      const tall = height(step[name] / every);
      below -= tall;
      const box = { x: left(index), y: below, width: Math.max(each - 1, 0.75), height: tall };
      return step[name] ? drawing('rect', { ...box, class: colour(place) }) : '';
    });
  });
  const line = (perSecond) => {
    const y = floor - height(perSecond);
    return [
      drawing('line', { x1: LEFT, x2: width, y1: y, y2: y, class: 'axis' }),
      drawing('text', { x: LEFT - 6, y: y + 4, class: 'tick', 'text-anchor': 'end' }, rate(perSecond)),
    ];
  };
  const tick = (x, time, anchor) =>
    drawing('text', { x, y: HEIGHT - 6, class: 'tick', 'text-anchor': anchor }, clock(time));
  const ticks = [tick(width, at.at(-1), 'end')];
  if (steps.length * each > 200) ticks.push(tick(left(0), at[0] - every, 'start'));
  return [...[0, top / 2, top].flatMap(line), ...parts.filter(Boolean), ...ticks];
}

function table(names, steps, { every, at }) {
  const classes = ['', ...names.map(() => 'number')];
  const heads = ['Until', ...names].map((head, index) =>
    element('th', { scope: 'col', class: classes[index] }, head),
  );
  const rows = steps.map((step, index) =>
    row([clock(at[index]), ...names.map((name) => rate(step[name] / every))], classes),
  );
  // The newest first.
  return element('table', {}, element('thead', {}, element('tr', {}, ...heads)), element('tbody', {}, ...rows.reverse()));
}
