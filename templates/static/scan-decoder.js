// Reads one frame after the other with the library, off the page's own thread: a
// cheap phone stays quick to the thumb while it looks. First comes the library's
// address, then frames; each is answered, with what was found or null.
'use strict';

let hints;

function grey(rgba, width, height) {
  const out = new Uint8ClampedArray(width * height);
  for (let i = 0, j = 0; j < out.length; i += 4, j++) out[j] = (rgba[i] * 306 + rgba[i + 1] * 601 + rgba[i + 2] * 117) >> 10;
  return out;
}
function turned(light, width, height) {
  const out = new Uint8ClampedArray(light.length);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) out[x * height + (height - 1 - y)] = light[y * width + x];
  return out;
}
function attempt(reader, light, width, height, how) {
  try {
    const source = new ZXing.RGBLuminanceSource(light, width, height);
    return reader.decode(new ZXing.BinaryBitmap(new ZXing.HybridBinarizer(source)), how).getText();
  } catch {
    return null; // there is none in the picture
  }
}
function look(rgba, width, height, hard) {
  const light = grey(rgba, width, height);
  const how = hard ? hints : null;
  let text = attempt(new ZXing.QRCodeReader(), light, width, height, how);
  if (text) return { text, bars: false };
  text = attempt(new ZXing.MultiFormatUPCEANReader(hints), light, width, height, hints)
    || attempt(new ZXing.MultiFormatUPCEANReader(hints), turned(light, width, height), height, width, hints);
  return text ? { text, bars: true } : null;
}

self.onmessage = (e) => {
  if (e.data.library) {
    importScripts(e.data.library);
    hints = new Map([
      [ZXing.DecodeHintType.TRY_HARDER, true],
      [ZXing.DecodeHintType.POSSIBLE_FORMATS, [ZXing.BarcodeFormat.EAN_13, ZXing.BarcodeFormat.UPC_A, ZXing.BarcodeFormat.EAN_8]],
    ]);
    return;
  }
  const { id, pixels, width, height, hard } = e.data;
  self.postMessage({ id, found: look(new Uint8ClampedArray(pixels), width, height, hard) });
};
