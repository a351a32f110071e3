// What can be seen of a page: its words as screen readers have them, its size, and how well the
// text can be read.

/** Returns what there is to see on `page`. */
export async function inspect(page) {
  const heights = await page.getByRole('button').evaluateAll((buttons) =>
    buttons.map((button) => button.getBoundingClientRect().height),
  );
  return {
    tree: await page.locator('body').ariaSnapshot(),
    lowest_button: Math.min(...heights),
    overflow: await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
    ...(await page.evaluate(readability)),
    focus: await focusOrder(page, heights.length),
  };
}

/** Presses Tab and names what gets the focus, where it can be seen that it has. */
async function focusOrder(page, stops) {
  const order = [];
  for (let stop = 0; stop < stops; stop += 1) {
    await page.keyboard.press('Tab');
    order.push(
      await page.evaluate(() => {
        const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
        const seen = outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2;
        return seen ? document.activeElement.textContent : null;
      }),
    );
  }
  await page.evaluate(() => document.activeElement.blur());
  return order;
}

/** Runs in the page. The contrast is that of WCAG 2.2 §1.4.3, which asks for 4.5. */
function readability() {
  const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [red, green, blue] = channels(colour).map((channel) => {
      const part = channel / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const isSolid = (colour) => (channels(colour)[3] ?? 1) === 1;
  const behind = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    return isSolid(colour) ? colour : behind(element.parentElement);
  };
  const contrast = (element) => {
    const both = [getComputedStyle(element).color, behind(element)].map(luminance);
    return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
  };
  const hasWords = (element) =>
    [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const words = [...document.body.querySelectorAll('*')].filter(hasWords);
  return {
    contrast: Math.min(...words.map(contrast)),
    ground: getComputedStyle(document.body).backgroundColor,
    language: document.documentElement.lang,
  };
}
