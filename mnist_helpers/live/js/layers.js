// The layers of a network, as Keras computes them, on one image. Arrays are { shape, data }; images have the
// shape [height, width, channels], kernels [height, width, channels in, channels out].

export const zeros = (...shape) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });

/** Keras's padding="same": how many zeros before the first pixel, and how many outputs. */
export function geometry(size, kernel, stride, padding) {
  if (padding === "valid") return { before: 0, total: 0, outputs: Math.floor((size - kernel) / stride) + 1 };
  const outputs = Math.ceil(size / stride);
  const total = Math.max(0, (outputs - 1) * stride + kernel - size);
  return { before: Math.floor(total / 2), total, outputs };
}

export function conv2d(image, kernel, bias, { strides = [1, 1], padding = "valid" } = {}) {
  const [height, width, channels] = image.shape;
  const [rows, columns, , filters] = kernel.shape;
  const down = geometry(height, rows, strides[0], padding);
  const right = geometry(width, columns, strides[1], padding);
  const result = zeros(down.outputs, right.outputs, filters);
  const sums = new Float64Array(filters);
  for (let y = 0; y < down.outputs; y += 1) for (let x = 0; x < right.outputs; x += 1) {
    for (let f = 0; f < filters; f += 1) sums[f] = bias ? bias.data[f] : 0;
    for (let i = 0; i < rows; i += 1) {
      const row = y * strides[0] + i - down.before;
      if (row < 0 || row >= height) continue;
      for (let j = 0; j < columns; j += 1) {
        const column = x * strides[1] + j - right.before;
        if (column < 0 || column >= width) continue;
        for (let c = 0; c < channels; c += 1) {
          const pixel = image.data[(row * width + column) * channels + c];
          if (pixel === 0) continue; // most of a digit is background
          const at = ((i * columns + j) * channels + c) * filters;
          for (let f = 0; f < filters; f += 1) sums[f] += pixel * kernel.data[at + f];
        }
      }
    }
    result.data.set(sums, (y * right.outputs + x) * filters);
  }
  return result;
}

/** Max or average pooling. An average over a padded edge counts only the pixels that are there, as in Keras. */
function pool(image, { pool_size: size, strides = size, padding = "valid" }, average) {
  const [height, width, channels] = image.shape;
  const down = geometry(height, size[0], strides[0], padding);
  const right = geometry(width, size[1], strides[1], padding);
  const result = zeros(down.outputs, right.outputs, channels);
  for (let y = 0; y < down.outputs; y += 1) for (let x = 0; x < right.outputs; x += 1) for (let c = 0; c < channels; c += 1) {
    let [best, sum, count] = [-Infinity, 0, 0];
    for (let i = 0; i < size[0]; i += 1) for (let j = 0; j < size[1]; j += 1) {
      const row = y * strides[0] + i - down.before;
      const column = x * strides[1] + j - right.before;
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      const value = image.data[(row * width + column) * channels + c];
      best = Math.max(best, value);
      sum += value;
      count += 1;
    }
    result.data[(y * right.outputs + x) * channels + c] = average ? sum / count : best;
  }
  return result;
}

export function dense(input, kernel, bias) {
  const [inputs, units] = kernel.shape;
  const sums = new Float64Array(units);
  if (bias) sums.set(bias.data);
  for (let i = 0; i < inputs; i += 1) {
    const value = input.data[i];
    if (value === 0) continue;
    for (let u = 0; u < units; u += 1) sums[u] += value * kernel.data[i * units + u];
  }
  return { shape: [units], data: Float32Array.from(sums) };
}

const elementwise = (f) => (array) => ({ shape: array.shape, data: array.data.map(f) });

export function softmax(array) {
  const top = Math.max(...array.data);
  const powers = Float64Array.from(array.data, (value) => Math.exp(value - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return { shape: array.shape, data: Float32Array.from(powers, (value) => value / sum) };
}

export const activations = {
  linear: (array) => array,
  relu: elementwise((value) => Math.max(0, value)),
  tanh: elementwise(Math.tanh),
  sigmoid: elementwise((value) => 1 / (1 + Math.exp(-value))),
  softmax,
};

/** Scale and shift every channel: a layer of batch normalisation whose four vectors were folded into two. */
function scaled(image, { scale, shift }) {
  const channels = scale.data.length;
  return { shape: image.shape, data: image.data.map((value, i) => value * scale.data[i % channels] + shift.data[i % channels]) };
}

function padded(image, [[top, bottom], [left, right]]) {
  const [height, width, channels] = image.shape;
  const result = zeros(height + top + bottom, width + left + right, channels);
  for (let row = 0; row < height; row += 1) {
    const line = image.data.subarray(row * width * channels, (row + 1) * width * channels);
    result.data.set(line, ((row + top) * result.shape[1] + left) * channels);
  }
  return result;
}

function averages(image) {
  const channels = image.shape[2];
  const result = zeros(channels);
  const share = channels / image.data.length;
  image.data.forEach((value, i) => (result.data[i % channels] += value * share));
  return result;
}

const layers = {
  Conv2D: (image, layer) => conv2d(image, layer.kernel, layer.bias, layer),
  MaxPooling2D: (image, layer) => pool(image, layer, false),
  AveragePooling2D: (image, layer) => pool(image, layer, true),
  GlobalAveragePooling2D: averages,
  ZeroPadding2D: (image, layer) => padded(image, layer.padding),
  BatchNormalization: scaled,
  Flatten: (image) => ({ shape: [image.data.length], data: image.data }),
  Dense: (input, layer) => dense(input, layer.kernel, layer.bias),
  Activation: (input) => input,
};

/** All outputs of a network on one image of shape [height, width]: one for each layer, after its activation. */
export function outputs(network, image) {
  let value = { shape: [...image.shape.slice(0, 2), 1], data: image.data };
  return network.layers.map((layer) => {
    value = layers[layer.class](value, layer);
    value = activations[layer.activation ?? "linear"](value);
    return value;
  });
}

/** The last of them, as a plain array of probabilities. */
export const predict = (network, image) => [...outputs(network, image).at(-1).data];

/** The sums before the last softmax: what is left to compare when probabilities are 1 and 0. */
export function scores({ layers: all }, image) {
  const open = { layers: [...all.slice(0, -1), { ...all.at(-1), activation: "linear" }] };
  return predict(open, image);
}

/** One channel of an image, as an array of shape [height, width]. */
export function channel(image, index) {
  const [height, width, channels] = image.shape;
  const result = zeros(height, width);
  for (let i = 0; i < height * width; i += 1) result.data[i] = image.data[i * channels + index];
  return result;
}
