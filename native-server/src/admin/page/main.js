// The page: asks for the status every two seconds while somebody looks, and shows it.

import { showCharts } from './chart.js';
import { byId } from './dom.js';
import { ask, forget, take } from './gateway.js';
import { offerInspector, useStatus } from './inspector.js';
import { showFacts } from './views.js';

const INTERVAL = 2_000;

let paused = false;
let timer;
let said = '';

/** Tells screen readers, once. */
function say(text) {
  if (text !== said) byId('news').textContent = text;
  said = text;
}

function state(text, kind) {
  byId('state').textContent = text;
  byId('state').className = `chip ${kind}`;
}

async function update() {
  clearTimeout(timer);
  const { status, refused, problem } = await ask();
  if (refused) {
    wantCredential();
    return;
  }
  if (status) {
    byId('credential').hidden = true;
    byId('facts').hidden = false;
    byId('pause').hidden = false;
    showFacts(status);
    showCharts(status.activity);
    useStatus(status);
    state('Live', 'quiet');
    say('');
  } else {
    state('No connection', 'warn');
    say(`No connection: ${problem}. What is shown is old.`);
  }
  if (!paused && !document.hidden) timer = setTimeout(update, INTERVAL);
}

function wantCredential() {
  const wrong = forget();
  byId('facts').hidden = true;
  byId('pause').hidden = true;
  byId('credential').hidden = false;
  state('Locked', 'warn');
  if (wrong) {
    byId('credential-problem').textContent = 'The gateway does not accept this credential. Look for it where the gateway was started.';
  }
  say(byId('credential-problem').textContent);
  byId('credential-value').focus();
}

byId('credential').addEventListener('submit', (event) => {
  event.preventDefault();
  take(byId('credential-value').value, byId('credential-keep').checked);
  byId('credential-value').value = '';
  update();
});

byId('pause').addEventListener('click', () => {
  paused = !paused;
  byId('pause').setAttribute('aria-pressed', `${paused}`);
  if (paused) {
    clearTimeout(timer);
    state('Paused', 'quiet');
  } else {
    update();
  }
});

document.addEventListener('visibilitychange', () => {
  if (!document.hidden && !paused) update();
});

offerInspector();
update();
