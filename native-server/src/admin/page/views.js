// Shows a status: everything but the chart and the inspector.

import { OUTCOMES, byOutcome, total } from './chart.js';
import { byId, element, pair, row, show } from './dom.js';
import { count, moment, rate, share, span } from './format.js';

/** Shows the facts of a status. */
export function showFacts(status) {
  byId('version').textContent = status.version;
  byId('mode').textContent = status.mode.name;
  byId('mode').className = status.mode.name === 'none' ? 'chip warn' : 'chip';
  byId('why').textContent = `Because ${status.mode.why}.`;
  show(byId('warnings'), status.warnings, (warnings) =>
    warnings.map((warning) => element('li', {}, warning)),
  );
  show(byId('place'), [status.listen, status.upstream, status.started], () => [
    pair('Listens on', status.listen),
    pair('Protects', status.upstream ?? 'what other proxies ask about'),
    pair('Runs since', new Date(status.started * 1000).toLocaleString()),
  ]);
  showRates(status);
  show(byId('reasons'), status.totals, reasons);
  showRefusals(status.refusals);
  show(byId('latency'), status.decision_seconds, latency);
  show(byId('cache'), status.cache, cache);
  show(byId('calls'), [status.calls, status.waiting], calls);
  const { keys, api_keys: apiKeys, now } = status;
  // The age is shown to ten seconds, so that the table is not made anew all the time.
  show(byId('keys'), [keys, apiKeys, Math.floor(now / 10)], () => [
    ...issuerKeys(keys, now),
    ...namedKeys(apiKeys, now),
  ]);
  show(byId('settings'), status.settings, settings);
}

function showRates({ totals, activity }) {
  const last = activity.moments.at(-1);
  const second = last ? total(byOutcome(last)) / activity.every_seconds : 0;
  const of = (outcome) =>
    totals.filter((one) => one.outcome === outcome).reduce((sum, { count: times }) => sum + times, 0);
  show(byId('rates'), [second, totals], () => [
    pair('Per second', rate(second)),
    ...OUTCOMES.map((outcome) => pair(`All ${outcome}`, count(of(outcome)))),
  ]);
}

function reasons(totals) {
  const all = totals.reduce((sum, total) => sum + total.count, 0);
  const sorted = [...totals].sort((one, other) => other.count - one.count);
  const made = sorted.map(({ reason, outcome, count: times }) =>
    row([element('code', {}, reason), outcome, count(times), share(times, all)], ['', '', 'number', 'number']),
  );
  return made.length ? made : [row(['None so far', '', '', ''])];
}

function showRefusals(refusals) {
  byId('refusals-none').hidden = refusals.length > 0;
  show(byId('refusals-list'), refusals, () => folded(refusals).map(refusal));
}

/** Makes one of refusals that come one after the other and differ in their times only. */
function folded(refusals) {
  const kinds = [];
  for (const { at, ...what } of refusals) {
    const kind = JSON.stringify(what);
    const last = kinds.at(-1);
    if (last?.kind === kind) {
      last.times += 1;
    } else {
      kinds.push({ kind, at, times: 1, ...what });
    }
  }
  return kinds;
}

function refusal({ at, times, reason, status, cause, remedy, method, path, client }) {
  const from = client ? `from ${client}` : '';
  return element(
    'li', {},
    element(
      'p', { class: 'line' },
      moment(at),
      element('code', {}, reason),
      element('span', {}, `${status}`),
      element('span', { class: 'soft' }, [method, path, from].filter(Boolean).join(' ')),
      times > 1 ? element('span', {}, `${count(times)} times`) : undefined,
    ),
    element('p', {}, element('strong', {}, cause ?? 'Refused.')),
    remedy ? element('p', { class: 'soft' }, remedy) : undefined,
  );
}

function table(heads, rows, numeric) {
  const classes = heads.map((_, index) => (numeric.includes(index) ? 'number' : ''));
  const head = heads.map((text, index) => element('th', { scope: 'col', class: classes[index] }, text));
  return element(
    'table', {},
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...rows.map((cells) => row(cells, classes))),
  );
}

const nothing = (text) => [element('p', { class: 'soft' }, text)];

function latency(buckets) {
  const all = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
  if (!all) return nothing('No decision so far.');
  const longest = span(buckets.at(-2).at_most);
  const words = ({ at_most: bound }, most, more) =>
    bound === null ? `${more} ${longest}` : `${most} ${span(bound)}`;
  const within = (part) => {
    let sum = 0;
    return words(buckets.find((bucket) => (sum += bucket.count) >= part * all), 'at most', 'more than');
  };
  const rows = buckets
    .filter((bucket) => bucket.count)
    .map((bucket) => [words(bucket, 'up to', 'over'), count(bucket.count), share(bucket.count, all)]);
  return [
    element('p', {}, `Half took ${within(0.5)}, 99 of 100 ${within(0.99)}.`),
    table(['Time', 'Decisions', 'Share'], rows, [1, 2]),
  ];
}

function cache(facts) {
  if (!facts) return nothing('This mode has none.');
  const { entries, capacity, hits, misses } = facts;
  return [
    element(
      'dl', { class: 'facts' },
      pair('Credentials remembered', `${count(entries)} of ${count(capacity)}`),
      pair('Decided by them', hits + misses ? `${count(hits)} requests, ${share(hits, hits + misses)}` : 'no request so far'),
    ),
  ];
}

function calls([list, waiting]) {
  const now = waiting ? [element('p', {}, `${count(waiting)} requests wait for one.`)] : [];
  if (!list.length) return [...now, ...nothing('None so far.')];
  const rows = list.map((call) => [call.outcome, count(call.count)]);
  return [...now, table(['Outcome', 'Calls'], rows, [1])];
}

function issuerKeys(keys, now) {
  if (!keys) return nothing('This mode asks no issuer for keys.');
  const parts = [];
  if (keys.is_failing) {
    parts.push(element('p', { class: 'note' }, 'The last fetch failed. The refusals name the cause.'));
  }
  if (keys.fetched === null) return [...parts, ...nothing('Not fetched so far.')];
  const age = span(Math.max(0, now - keys.fetched));
  parts.push(element('p', {}, `Fetched ${age} ago, good for ${span(keys.life_seconds)}.`));
  const rows = keys.keys.map((key) => [key.kid ?? 'without id', key.kind, key.algorithm ?? 'any that fits']);
  return [...parts, table(['Key id', 'Type', 'Algorithm'], rows, [])];
}

function namedKeys(keys, now) {
  if (!keys.length) return [];
  const ago = (at) => (at === null ? 'not since the start' : `${span(Math.max(0, now - at))} ago`);
  const end = (at) => (at === null ? 'never' : new Date(at * 1000).toLocaleString());
  const rows = keys.map((key) => [key.name, ago(key.last_used), end(key.expires)]);
  return [element('h3', {}, 'API keys'), table(['Name', 'Last used', 'Ends'], rows, [])];
}

const settings = (list) => list.map(({ name, value, source }) => row([name, value, source]));
