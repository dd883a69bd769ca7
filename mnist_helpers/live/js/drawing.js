// A pen on a canvas of ink, and the way of a drawing into MNIST's form. drawing.py does the same in Python,
// number by number.

export const CANVAS = 112; // pixels of the drawing
export const FRAME = 28; // of the image
const BOX = 20; // and of the box in it

/** Draw one piece of a stroke, from [x0, y0] to [x1, y1], with a round pen, on an array of ink. */
export function pen(ink, [x0, y0], [x1, y1], radius) {
  const [height, width] = ink.shape;
  const [dx, dy] = [x1 - x0, y1 - y0];
  const reach = radius + 1;
  const [top, bottom] = [Math.max(0, Math.floor(Math.min(y0, y1) - reach)), Math.min(height, Math.ceil(Math.max(y0, y1) + reach))];
  const [left, right] = [Math.max(0, Math.floor(Math.min(x0, x1) - reach)), Math.min(width, Math.ceil(Math.max(x0, x1) + reach))];
  for (let row = top; row < bottom; row += 1) for (let column = left; column < right; column += 1) {
    const [x, y] = [column + 0.5 - x0, row + 0.5 - y0];
    const along = Math.min(1, Math.max(0, (x * dx + y * dy) / (dx * dx + dy * dy || 1)));
    const distance = Math.sqrt((x - along * dx) ** 2 + (y - along * dy) ** 2);
    const at = row * width + column;
    ink.data[at] = Math.max(ink.data[at], Math.min(1, Math.max(0, radius + 0.5 - distance)));
  }
}

const rounded = (value) => Math.floor(value + 0.5 + 1e-6);

/** Each new pixel is a mean of old ones, under a triangle as wide as two new pixels: one row of weights per new pixel. */
function resize(size, old) {
  const scale = old / size;
  return Array.from({ length: size }, (_, i) => {
    const weights = Array.from({ length: old }, (_, j) => Math.max(0, 1 - Math.abs((i + 0.5) * scale - (j + 0.5)) / Math.max(scale, 1)));
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => weight / sum);
  });
}

/** Where a profile of ink begins when its centre of mass is in the middle of the frame, all of it inside. */
function offset(profile) {
  const sum = profile.reduce((a, b) => a + b, 0);
  const centre = profile.reduce((moment, ink, i) => moment + i * ink, 0) / sum;
  return Math.min(FRAME - profile.length, Math.max(0, rounded((FRAME - 1) / 2 - centre)));
}

/** The rows and columns with ink: { top, left, height, width }, or null. */
export function bounds({ shape: [height, width], data }) {
  let [top, bottom, left, right] = [height, -1, width, -1];
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) if (data[y * width + x] > 0) {
    [top, bottom, left, right] = [Math.min(top, y), Math.max(bottom, y), Math.min(left, x), Math.max(right, x)];
  }
  return bottom < 0 ? null : { top, left, height: bottom - top + 1, width: right - left + 1 };
}

/** A drawing in MNIST's form: { cut, box, image, top, left }; image is 28x28, and empty without ink. */
export function preprocess(ink) {
  const image = { shape: [FRAME, FRAME], data: new Float32Array(FRAME * FRAME) };
  const place = bounds(ink);
  if (!place) return { cut: null, box: null, image };
  const cut = { shape: [place.height, place.width], data: new Float32Array(place.height * place.width) };
  for (let y = 0; y < place.height; y += 1) for (let x = 0; x < place.width; x += 1)
    cut.data[y * place.width + x] = ink.data[(place.top + y) * ink.shape[1] + place.left + x];

  const largest = Math.max(...cut.shape);
  const [height, width] = cut.shape.map((side) => Math.max(1, rounded((side * BOX) / largest)));
  const down = resize(height, cut.shape[0]);
  const across = resize(width, cut.shape[1]);
  const narrow = down.map((weights) => Array.from({ length: cut.shape[1] }, (_, x) =>
    weights.reduce((sum, weight, y) => (weight ? sum + weight * cut.data[y * cut.shape[1] + x] : sum), 0)));
  const small = narrow.map((row) => across.map((weights) => weights.reduce((sum, weight, x) => sum + weight * row[x], 0)));
  const darkest = Math.max(...small.flat());
  const box = small.map((row) => row.map((value) => value / darkest));

  const top = offset(box.map((row) => row.reduce((a, b) => a + b, 0)));
  const left = offset(across.map((_, x) => box.reduce((sum, row) => sum + row[x], 0)));
  box.forEach((row, y) => row.forEach((value, x) => (image.data[(top + y) * FRAME + left + x] = value)));
  return { cut, box: { shape: [height, width], data: Float32Array.from(box.flat()) }, image, top, left };
}

/** The whole canvas shrunk to 28x28, without any of this: what goes wrong when nobody thinks of it. */
export function shrink(ink) {
  const step = ink.shape[0] / FRAME;
  const image = { shape: [FRAME, FRAME], data: new Float32Array(FRAME * FRAME) };
  ink.data.forEach((value, i) => {
    const [y, x] = [Math.floor(i / ink.shape[1]), i % ink.shape[1]];
    image.data[Math.floor(y / step) * FRAME + Math.floor(x / step)] += value / step ** 2;
  });
  return image;
}
