// A person with a real browser: looks at the gateway's consent page, answers it, and goes on to
// where the client waits.
//
// usage: node chromium.mjs [--decision approve|deny|none] [--by mouse|keys] [--width PIXELS]
//                          [--scheme light|dark] [--scripts on|off] [--picture FILE] URL
//
// The browser is CHROMIUM_BIN. Prints one JSON object: what inspection.mjs finds on the page, and
//   url         where the person ended
//   complaints  what the browser wrote to its console, such as refusals by a security policy
//   requests    what else was loaded to show the page
//   error       why the person did not get to the client
// Exit code 0 when the person got there, or only looked (none).

import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { inspect } from './inspection.mjs';

const PATIENCE = 20_000;
const MOST_PAGES = 5;
const BUTTONS = { approve: 'Allow', deny: 'Deny' };

const text = (value) => ({ type: 'string', default: value });
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    decision: text('approve'),
    by: text('mouse'),
    width: text('1280'),
    scheme: text('light'),
    scripts: text('on'),
    picture: { type: 'string' },
  },
});
const [url] = positionals;
const home = new URL(url).searchParams.get('redirect_uri') ?? 'nowhere';

/** Looks at the page and answers it; what is seen goes to `report`. */
async function consent(page, report) {
  report.complaints = [];
  page.on('console', (message) => {
    // That the page itself is a refusal is for the person and no fault of the page.
    if (message.location().url !== url || !message.text().startsWith('Failed to load')) {
      report.complaints.push(message.text());
    }
  });
  page.on('pageerror', (error) => report.complaints.push(error.message));
  const requests = [];
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(url);
  Object.assign(report, await inspect(page));
  report.requests = requests.slice(1);
  if (options.picture) {
    await page.screenshot({ path: options.picture, fullPage: true });
  }
  if (options.decision !== 'none') {
    await answer(page);
    await reachHome(page);
  }
}

async function answer(page) {
  const name = BUTTONS[options.decision];
  const button = page.getByRole('button', { name, exact: true });
  if (options.by === 'mouse') {
    await button.click();
    return;
  }
  for (let presses = 0; presses < 10; presses += 1) {
    await page.keyboard.press('Tab');
    if (await button.evaluate((element) => element === document.activeElement)) {
      await page.keyboard.press('Enter');
      return;
    }
  }
  throw new Error(`no Tab leads to ${name}`);
}

/** Fills in the provider's pages, if it has any, until the browser is at the client. */
async function reachHome(page) {
  const atHome = (place) => place.href.startsWith(home);
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const form = page.locator('form:has([name=prompt])');
    await Promise.race([page.waitForURL(atHome), form.waitFor()]);
    if (atHome(new URL(page.url()))) {
      return;
    }
    for (const field of await form.locator('input[type=text], input[type=password]').all()) {
      await field.fill('alice');
    }
    await form.getByRole('button').click();
  }
  throw new Error(`there is no end of pages: ${page.url()}`);
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_BIN,
  // Only root has no sandbox.
  chromiumSandbox: process.getuid() !== 0,
});
const report = {};
const page = await browser.newPage({
  viewport: { width: Number(options.width), height: 800 },
  colorScheme: options.scheme,
  javaScriptEnabled: options.scripts === 'on',
});
page.setDefaultTimeout(PATIENCE);
try {
  await consent(page, report);
} catch (error) {
  report.error = error.message;
  process.exitCode = 1;
}
report.url = page.url();
await browser.close();
process.stdout.write(`${JSON.stringify(report)}\n`);
