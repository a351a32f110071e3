// The admin page, as somebody uses it who has a keyboard and nothing else.
//
// usage: node admin_page.mjs ADMIN GATEWAY [FOLDER]
//
// ADMIN is the page's URL, GATEWAY that of the protected resource behind the gateway. The browser
// is CHROMIUM_BIN; ADMIN_TOKEN, GOOD_TOKEN and EXPIRED_TOKEN are what they say. Pictures go to
// FOLDER. Prints one JSON object with what was found; admin_page.rs says what it must be.

import axe from 'axe-core';
import { chromium } from 'playwright-core';

const [admin, gateway, pictures] = process.argv.slice(2);
const { ADMIN_TOKEN, GOOD_TOKEN, EXPIRED_TOKEN } = process.env;
const PATIENCE = 20_000;

const found = { complaints: [], elsewhere: [], accessibility: [], overflow: [] };
const requests = [];

/** Opens the page; what the browser objects to and loads is noted. */
async function open(browser, how) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...how });
  page.setDefaultTimeout(PATIENCE);
  page.on('console', (message) => {
    // That the gateway asks for a credential is in the console too, and no fault.
    if (!message.text().includes('401 (Unauthorized)')) found.complaints.push(message.text());
  });
  page.on('pageerror', (error) => found.complaints.push(error.message));
  page.on('request', (request) => {
    requests.push(request.url());
    if (!request.url().startsWith(admin)) found.elsewhere.push(request.url());
  });
  await page.goto(admin);
  return page;
}

/** Notes what axe finds; it is put in from outside, where the page's policy does not count. */
async function check(page, where) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run());
  for (const { id, nodes } of violations) {
    found.accessibility.push({ where, id, nodes: nodes.map((node) => node.html.slice(0, 200)) });
  }
}

async function picture(page, name, how = {}) {
  if (pictures) await page.screenshot({ path: `${pictures}/${name}.png`, ...how });
}

/** Presses Tab until the element of this id has the focus. */
async function tabTo(page, id) {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    if ((await focused(page)) === id) return;
  }
  throw new Error(`no Tab leads to ${id}`);
}

const focused = (page) => page.evaluate(() => document.activeElement.id);

async function unlock(page) {
  await page.locator('#credential').waitFor();
  found.locked = await page.locator('#facts').isHidden();
  await check(page, 'locked');
  await page.keyboard.type('wrong-wrong-wrong-wrong');
  await page.keyboard.press('Enter');
  await page.getByText('does not accept this credential').first().waitFor();
  found.refused = await page.locator('#facts').isHidden();
  await page.keyboard.type(ADMIN_TOKEN);
  await page.keyboard.press('Enter');
  await page.locator('#facts').waitFor();
  found.address = page.url();
}

const tile = (page, name) =>
  page.locator('#rates > div', { has: page.getByText(name, { exact: true }) }).locator('dd');

async function send(token) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(gateway, { method: 'POST', headers, body: '{}' });
  await answer.arrayBuffer();
}

async function traffic(page) {
  const forwarded = tile(page, 'All forwarded');
  const refused = tile(page, 'All refused');
  found.forwarded = [await forwarded.textContent()];
  found.refused_all = [await refused.textContent()];
  for (const token of [GOOD_TOKEN, GOOD_TOKEN, GOOD_TOKEN, EXPIRED_TOKEN]) await send(token);
  const refusal = page.locator('#refusals-list li').first();
  await refusal.waitFor();
  found.refusal = await refusal.innerText();
  found.forwarded.push(await forwarded.textContent());
  found.refused_all.push(await refused.textContent());
  found.keys = await page.locator('#keys').innerText();
  if (pictures) await crowd();
  // The history is sampled every few seconds.
  await page.locator('#faults-chart rect').first().waitFor({ state: 'attached' });
  found.chart = await page.locator('#outcomes-chart rect').count();
}

/** A minute of more traffic, so that there is something to see on the pictures. */
async function crowd() {
  for (let second = 0; second < 60; second += 1) {
    const many = Math.round(9 + 6 * Math.sin(second / 7));
    const tokens = Array.from({ length: many }, (_, index) => (index % 7 ? GOOD_TOKEN : EXPIRED_TOKEN));
    await Promise.all([...tokens, ...(second % 9 ? [] : ['opaque'])].map(send));
    await fetch(new URL('/.well-known/oauth-authorization-server', gateway));
    await new Promise((done) => setTimeout(done, 1000));
  }
}

/** Pastes a request and has it explained, by keys. */
async function inspect(page, text) {
  await page.locator('#request').fill('');
  await page.locator('#request').focus();
  await page.keyboard.insertText(text);
  await tabTo(page, 'explain');
  await page.keyboard.press('Enter');
}

async function inspector(page) {
  await page.locator('body').press('Tab');
  await page.evaluate(() => document.activeElement.blur());
  await page.locator('.skip').focus();
  await page.keyboard.press('Enter');
  found.skipped = await focused(page);
  await page.locator('#pause').focus();
  await page.keyboard.press('Space');
  await page.getByText('Paused').waitFor();
  const before = requests.length;
  await tabTo(page, 'request');
  await inspect(page, GOOD_TOKEN);
  found.inspected = await focused(page);
  found.good = await page.locator('#report').innerText();
  await inspect(page, `curl ${gateway} -H 'Authorization: Bearer ${EXPIRED_TOKEN}' -d '{}'`);
  found.expired = await page.locator('#report').innerText();
  await picture(page, 'inspector', { clip: await around(page, '#inspector') });
  await check(page, 'report');
  await inspect(page, 'no header at all');
  found.wrong = await page.locator('#inspect-problem').innerText();
  found.requests = requests.slice(before);
  await inspect(page, EXPIRED_TOKEN);
}

/** Where an element is, for a picture of it alone. */
async function around(page, place, most = 2400) {
  await page.evaluate(() => window.scrollTo(0, 0));
  const box = await page.locator(place).boundingBox();
  await page.setViewportSize({ width: 1280, height: Math.ceil(box.y + box.height + 20) });
  const height = Math.min(most, box.height + 20);
  return { x: box.x - 20, y: box.y - 10, width: box.width + 40, height };
}

async function looks(page) {
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.evaluate(() => window.scrollTo(0, 0));
  await page.setViewportSize({ width: 1280, height: 900 });
  found.ground = [await ground()];
  await check(page, 'light');
  await picture(page, 'page');
  await picture(page, 'refusals', { clip: await around(page, '#refusals', 620) });
  await picture(page, 'inside', { clip: await around(page, '#inside') });
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  found.ground.push(await ground());
  await check(page, 'dark');
  await picture(page, 'dark');
  await page.emulateMedia({ colorScheme: 'light' });
  for (const width of [1280, 390, 320]) {
    await page.setViewportSize({ width, height: 800 });
    found.overflow.push(
      await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
    );
    if (width === 390) await picture(page, 'phone');
  }
  await check(page, 'phone');
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_BIN,
  // Only root has no sandbox.
  chromiumSandbox: process.getuid() !== 0,
});
try {
  const page = await open(browser, {});
  await unlock(page);
  await traffic(page);
  await inspector(page);
  await looks(page);
  const plain = await open(browser, { javaScriptEnabled: false });
  found.without_scripts = await plain.locator('body').innerText();
} finally {
  await browser.close();
}
process.stdout.write(`${JSON.stringify(found)}\n`);
