// The inspector: the gateway's own decision engine in this page. It is loaded once; from then on
// nothing that is pasted causes a request.

import { byId, element, row } from './dom.js';

let inspect;
let gateway = 'native';
let proposed = { settings: '', jwks: '' };

/** Loads the engine, where this build has it. */
export async function offerInspector() {
  const form = byId('inspect');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    explain();
  });
  form.addEventListener('reset', () => {
    setTimeout(propose);
    byId('report').hidden = true;
    byId('inspect-problem').textContent = '';
  });
  try {
    const loaded = await import('./portcullis_inspector.js');
    await loaded.default();
    inspect = loaded.inspect;
  } catch {
    form.hidden = true;
    byId('inspector-absent').hidden = false;
  }
}

/** Takes settings and keys of a status as those to decide by, unless somebody changed them. */
export function useStatus(status) {
  gateway = status.gateway;
  const pairs = status.settings.map(({ name, value }) => [name, value]);
  const before = proposed;
  proposed = {
    settings: JSON.stringify(Object.fromEntries(pairs), null, 2),
    jwks: status.keys?.keys.length ? readable(status.keys.jwks) : '',
  };
  const fields = { 'settings-json': 'settings', jwks: 'jwks' };
  for (const [id, name] of Object.entries(fields)) {
    if (byId(id).value === before[name]) byId(id).value = proposed[name];
  }
  byId('jwks-note').textContent = proposed.jwks ? '(those that the gateway holds)' : '(paste it to check signatures)';
}

function propose() {
  byId('settings-json').value = proposed.settings;
  byId('jwks').value = proposed.jwks;
}

function explain() {
  const problem = byId('inspect-problem');
  problem.textContent = '';
  try {
    const report = inspect(input());
    byId('report').replaceChildren(...describe(report));
    byId('report').hidden = false;
    byId('report').focus();
  } catch (error) {
    byId('report').hidden = true;
    problem.textContent = `${error.message}.`;
  }
}

function input() {
  const time = byId('time').value;
  return {
    gateway,
    settings: settings(),
    request: byId('request').value,
    path: byId('path').value,
    address: byId('address').value,
    jwks: byId('jwks').value,
    now: (time ? new Date(time) : new Date()).getTime() / 1000,
  };
}

function settings() {
  try {
    return JSON.parse(byId('settings-json').value || '{}');
  } catch {
    throw new Error('the settings are not valid JSON');
  }
}

const MARKS = { passed: '✓ passed', failed: '✗ failed', open: '? open', note: '· note' };

function describe({ request, checks, token, result, warnings }) {
  const { decision, text, reason, remedy, status, fields, body } = result;
  const kind = { forwarded: 'good', answered: status < 400 ? 'good' : 'bad', open: reason ? 'bad' : 'open' }[decision];
  const said = { forwarded: 'It passes', answered: `The gateway answers ${status}`, open: reason ? 'It is refused' : 'It depends' };
  const parts = [
    element('h3', {}, said[decision]),
    element(
      'div', { class: `verdict ${kind}` },
      element('p', {}, text, ' ', reason ? element('code', {}, reason) : ''),
      remedy ? element('p', { class: 'soft' }, remedy) : undefined,
    ),
    element('h3', {}, 'Step by step'),
    element('p', { class: 'soft' }, `Read as ${request.form}: ${request.method} ${request.path}${request.host ? ` at ${request.host}` : ''}.`),
    element('ol', { class: 'steps' }, ...checks.map(step)),
  ];
  if (token) parts.push(...tokenParts(token));
  if (fields?.length || body) parts.push(...answerParts(result));
  if (warnings.length) {
    parts.push(element('h3', {}, 'Warnings about the settings'));
    parts.push(element('ul', { class: 'warnings' }, ...warnings.map((warning) => element('li', {}, warning))));
  }
  return parts;
}

const step = ({ subject, outcome, reason, text }) =>
  element(
    'li', {},
    element('span', { class: `outcome ${outcome === 'note' ? 'note-outcome' : outcome}` }, MARKS[outcome]),
    element('span', {}, subject),
    element('span', { class: 'text' }, text, ' ', reason ? element('code', {}, reason) : ''),
  );

function tokenParts({ header, claims, signature }) {
  const trust = {
    verified: 'The signature was verified with the keys given.',
    refused: 'The signature is not good: anybody can have written this.',
    unchecked: 'The signature was not checked here: anybody can have written this.',
  };
  return [
    element('h3', {}, 'What the token says'),
    element('p', { class: 'soft' }, trust[signature]),
    element('p', {}, 'Header'),
    element('pre', {}, readable(header)),
    element('p', {}, 'Claims'),
    element('pre', {}, readable(claims)),
  ];
}

function answerParts({ decision, fields, body }) {
  const told = decision === 'forwarded';
  const rows = (fields ?? []).map(([name, value]) => row([element('code', {}, name), value]));
  return [
    element('h3', {}, told ? 'What the protected resource is told' : 'What the client gets'),
    element('table', {}, element('thead', {}, element('tr', {}, element('th', { scope: 'col' }, 'Field'), element('th', { scope: 'col' }, 'Value'))), element('tbody', {}, ...rows)),
    body ? element('pre', {}, readable(body)) : undefined,
  ].filter(Boolean);
}

function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
