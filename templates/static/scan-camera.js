// The camera of the scan page: looks at what is before it, one frame after the
// other, and tells the page what it reads (event "qoa:code"). Where there is no
// camera, a photo does.
(() => {
  'use strict';

  const $ = (id) => document.getElementById(id);
  const box = $('scanner');
  if (!box) return;
  const video = $('view');
  const canvas = document.createElement('canvas');
  const FORMATS = ['qr_code', 'ean_13', 'ean_8', 'upc_a'];
  let stream = null;
  let wanted = false;
  let reader = null;
  let lib = null;

  function say(text) { $('lens-say').textContent = text; }
  function remember(on) { try { localStorage.setItem('qoa.camera', on ? '1' : ''); } catch { /* private windows have none */ } }
  function remembered() { try { return localStorage.getItem('qoa.camera') === '1'; } catch { return false; } }

  // The phone's own reader where there is one: it is quicker, and nothing is loaded.
  async function own() {
    if (!('BarcodeDetector' in window)) return null;
    try {
      const known = await BarcodeDetector.getSupportedFormats();
      if (!known.includes('qr_code') || !known.includes('ean_13')) return null;
      const detector = new BarcodeDetector({ formats: FORMATS.filter((f) => known.includes(f)) });
      return async (source) => {
        const [found] = await detector.detect(source);
        return found ? { text: found.rawValue, bars: found.format !== 'qr_code' } : null;
      };
    } catch {
      return null;
    }
  }
  function library() {
    lib ||= load();
    return lib;
  }
  function load() {
    const worker = new Worker(box.dataset.decoder);
    worker.postMessage({ library: box.dataset.library });
    const asked = new Map();
    let last = 0;
    worker.onmessage = (e) => { asked.get(e.data.id)(e.data.found); asked.delete(e.data.id); };
    worker.onerror = () => { // it could not be loaded: the next try loads it anew
      for (const answer of asked.values()) answer(null);
      asked.clear();
      worker.terminate();
      reader = lib = null;
    };
    return (source, most, hard) => new Promise((ok) => {
      const w = source.videoWidth || source.width;
      const h = source.videoHeight || source.height;
      const scale = Math.min(1, (most || 800) / Math.max(w, h));
      canvas.width = Math.round(w * scale);
      canvas.height = Math.round(h * scale);
      const ink = canvas.getContext('2d', { willReadFrequently: true });
      ink.drawImage(source, 0, 0, canvas.width, canvas.height);
      const { data } = ink.getImageData(0, 0, canvas.width, canvas.height);
      asked.set(++last, ok);
      worker.postMessage({ id: last, pixels: data.buffer, width: canvas.width, height: canvas.height, hard: !!hard }, [data.buffer]);
    });
  }
  async function eyes() {
    reader ||= (await own()) || library();
    return reader;
  }

  function tell(found) {
    document.dispatchEvent(new CustomEvent('qoa:code', { detail: found }));
  }

  // The same code before the camera is read once; taken away and shown again, it
  // is another. It is away when a look does not find it: a slow phone may look once
  // in two seconds. Bars must be read twice the same: a blurred one may lie.
  let shown = '';
  let seen = 0;
  let maybe = '';
  function judge(found) {
    const now = performance.now();
    if (!found) {
      if (now - seen > 1200) shown = '';
      return;
    }
    if (found.text === shown) { seen = now; return; }
    if (found.bars && found.text !== maybe) { maybe = found.text; return; }
    maybe = '';
    shown = found.text;
    seen = now;
    tell(found);
  }

  async function watch(mine) {
    while (stream === mine) {
      if (video.readyState >= 2) {
        try { judge(await (await eyes())(video)); } catch { /* this frame could not be read: the next can */ }
      }
      await new Promise((ok) => { setTimeout(ok, 40); });
    }
  }

  function noCamera(text) {
    $('cam-say').textContent = text;
    $('cam-say').hidden = false;
    $('cam').hidden = true;
    $('photo-box').hidden = false;
    $('lens-bar').prepend($('photo-box')); // where the camera's button was
  }
  async function start() {
    if (stream) return;
    if (!navigator.mediaDevices || !navigator.mediaDevices.getUserMedia) {
      noCamera('Aquí no se puede abrir la cámara. Toma una foto del código o escríbelo.');
      return;
    }
    $('cam').disabled = true;
    try {
      const mine = await navigator.mediaDevices.getUserMedia({
        audio: false, video: { facingMode: { ideal: 'environment' }, width: { ideal: 1280 }, height: { ideal: 720 } },
      });
      if (stream || !wanted) { mine.getTracks().forEach((t) => t.stop()); return; }
      stream = mine;
      video.srcObject = mine;
      await video.play();
      remember(true);
      const [track] = mine.getVideoTracks();
      track.addEventListener('ended', stop);
      const can = track.getCapabilities ? track.getCapabilities() : {};
      $('torch').hidden = !can.torch;
      $('torch').setAttribute('aria-pressed', 'false');
      if (can.focusMode && can.focusMode.includes('continuous')) track.applyConstraints({ advanced: [{ focusMode: 'continuous' }] }).catch(() => {});
      draw();
      say('Apunta al QR de la tarjeta o al código de barras');
      watch(mine);
    } catch (err) {
      stop();
      noCamera(err && err.name === 'NotAllowedError'
        ? 'La cámara no tiene permiso. Toma una foto del código o escríbelo.'
        : 'No hay cámara disponible. Toma una foto del código o escríbelo.');
    } finally {
      $('cam').disabled = false;
    }
  }
  function stop() {
    if (stream) stream.getTracks().forEach((t) => t.stop());
    stream = null;
    video.srcObject = null;
    draw();
  }
  function draw() {
    $('lens').hidden = !stream;
    $('cam-words').textContent = stream ? 'Cerrar cámara' : 'Escanear';
    $('cam').classList.toggle('ghost', !!stream);
    $('cam').classList.toggle('big', !stream);
    $('cam').setAttribute('aria-expanded', String(!!stream));
    if (!stream) $('torch').hidden = true;
  }

  $('cam').addEventListener('click', () => {
    wanted = !stream;
    if (wanted) start(); else { stop(); remember(false); }
  });
  $('torch').addEventListener('click', async () => {
    const on = $('torch').getAttribute('aria-pressed') !== 'true';
    try {
      await stream.getVideoTracks()[0].applyConstraints({ advanced: [{ torch: on }] });
      $('torch').setAttribute('aria-pressed', String(on));
    } catch {
      $('torch').hidden = true;
    }
  });
  // A page in the background must not keep the camera, nor its light.
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) stop(); else if (wanted) start();
  });

  // A photo is worth several looks: as it is smaller, what is blurred gets sharp.
  $('photo').addEventListener('change', async () => {
    const file = $('photo').files[0];
    if (!file) return;
    $('cam-say').hidden = false;
    $('cam-say').textContent = 'Leyendo la foto…';
    let found = null;
    try {
      const picture = await createImageBitmap(file);
      const native = await own();
      if (native) found = await native(picture);
      const read = found ? null : library();
      for (const most of [1000, 1600, 640]) {
        if (!found) found = await read(picture, most, true);
      }
      picture.close();
    } catch { /* no picture that this browser can read */ }
    $('photo').value = '';
    $('cam-say').textContent = found ? 'Foto leída.' : 'No se ve un código en la foto. Acércate, que haya luz, y toma otra; o escríbelo.';
    if (found) tell(found);
  });

  box.hidden = false;
  if (!window.isSecureContext || !navigator.mediaDevices) noCamera('Sin conexión segura (HTTPS) la cámara no abre aquí. Toma una foto del código o escríbelo.');
  else if (remembered() && navigator.permissions) {
    navigator.permissions.query({ name: 'camera' }).then((p) => { if (p.state === 'granted' && !document.hidden) { wanted = true; start(); } }).catch(() => {});
  }
})();
