// The scan page at work: what the camera reads, one tap on a product, the queue of
// sales and the answers to them. Without this script the page is plain forms.
(() => {
  'use strict';

  const $ = (id) => document.getElementById(id);
  const sale = $('sale');
  const queue = self.QoaQueue;
  const { owner, shop, now } = sale.dataset;

  // ---- Time: a phone's clock may be wrong, ours tells by how much ----
  function read(name) { try { return localStorage.getItem(name) || ''; } catch { return ''; } }
  function write(name, value) { try { localStorage.setItem(name, value); } catch { /* private windows have none */ } }
  function learn(moment) { // a page kept from yesterday teaches nothing
    const told = Date.parse(moment);
    if (!(told > Number(read('qoa.told')))) return;
    write('qoa.told', String(told));
    write('qoa.ahead', String(Date.now() - told));
  }
  learn(now);
  const clock = () => new Date(Date.now() - Number(read('qoa.ahead'))).toISOString();

  function newKey() {
    return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, '0')).join('');
  }

  // ---- What one hears and feels ----
  let audio;
  const loud = () => read('qoa.mute') === '';
  function signal(good) {
    if (navigator.vibrate) navigator.vibrate(good ? 60 : [90, 60, 90]);
    if (!loud() || !window.AudioContext) return;
    try {
      audio ||= new AudioContext();
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      tone.frequency.value = good ? 1046 : 196;
      tone.type = good ? 'sine' : 'square';
      volume.gain.value = 0.12;
      tone.connect(volume).connect(audio.destination);
      tone.start();
      tone.stop(audio.currentTime + (good ? 0.09 : 0.28));
    } catch { /* no sound, then */ }
  }
  const mute = $('sound');
  function drawSound() { mute.setAttribute('aria-pressed', String(loud())); }
  mute.addEventListener('click', () => { write('qoa.mute', loud() ? '1' : ''); drawSound(); if (loud()) signal(true); });
  drawSound();

  // ---- Words ----
  function element(name, text, kind) {
    const e = document.createElement(name);
    if (text) e.textContent = text;
    if (kind) e.className = kind;
    return e;
  }
  // say shows an answer where it is seen at a glance, with whatever can be done.
  function say(kind, title, detail, ...more) {
    const box = element('section', '', 'result ' + kind);
    if (kind === 'bad') box.dataset.bad = '';
    box.append(element('h2', title));
    if (detail) box.append(element('p', detail));
    box.append(...more);
    show([box]);
  }
  function show(nodes) {
    $('say').replaceChildren(...nodes);
    const box = $('say').querySelector('.result');
    if (box) box.scrollIntoView({ block: 'nearest' });
    countDown();
  }
  const parsed = (html) => [...new DOMParser().parseFromString(html, 'text/html').body.childNodes];
  function drawToday(html) { $('today').replaceChildren(...parsed(html)); $('today').hidden = false; }
  function answer(got) {
    learn(got.now);
    drawToday(got.today);
    show(parsed(got.result));
    signal(got.ok);
  }

  // The button that undoes goes when its time is over.
  let undoTimer;
  function countDown() {
    clearTimeout(undoTimer);
    const form = document.querySelector('#say .undo');
    if (form) undoTimer = setTimeout(() => form.remove(), Number(form.dataset.seconds) * 1000);
  }
  countDown();

  // ---- Products ----
  const amount = (box) => box.querySelector('input[type=number]');
  function mark(box) { box.classList.toggle('chosen', Number(amount(box).value) > 0); total(); }
  function bump(box, by) {
    const input = amount(box);
    input.value = Math.min(999, Math.max(0, (Number(input.value) || 0) + by)) || '';
    mark(box);
  }
  function total() {
    let n = 0;
    for (const input of sale.querySelectorAll('.product input[type=number]')) n += Number(input.value) || 0;
    if ($('gtin').value.trim()) n += Number($('gtin_qty').value) || 1;
    $('save-words').textContent = n > 0 ? 'Guardar ' + n + (n === 1 ? ' pieza' : ' piezas') : 'Guardar venta';
  }
  document.querySelectorAll('.step[hidden]').forEach((b) => { b.hidden = false; });
  document.addEventListener('click', (e) => {
    const box = e.target.closest('[data-stepper]');
    if (!box) return;
    const step = e.target.closest('.step');
    if (step) { bump(box, Number(step.dataset.step)); return; }
    if (e.target.closest('label, .face') && !e.target.closest('details')) { e.preventDefault(); bump(box, 1); }
  });
  document.addEventListener('input', (e) => {
    const box = e.target.closest('[data-stepper]');
    if (box) mark(box); else total();
  });
  document.addEventListener('change', (e) => {
    if (e.target.matches('[data-go]')) e.target.form.submit();
  });
  // A barcode reader types the code and Enter: in the code field that must lead
  // to the products, not save a sale without any.
  sale.addEventListener('keydown', (e) => {
    if (e.key !== 'Enter' || e.target.id !== 'code') return;
    if (document.querySelector('.product.chosen') || $('gtin').value) return;
    e.preventDefault();
    const first = document.querySelector('.product input, #gtin');
    if (first) first.focus();
  });

  // ---- What the camera reads ----
  const SYMBOLS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  function codeOf(text) { // as the server reads it; '' where it is none of ours
    let code = text.trim();
    if (code.includes('://')) code = code.replace(/[?#].*$/, '').replace(/\/+$/, '').split('/').pop();
    code = code.toUpperCase().replace(/[\s-]/g, '').replace(/[IL]/g, '1').replace(/O/g, '0');
    if (code.length !== 6 && code.length !== 8) return '';
    let sum = 0;
    for (let i = code.length - 1, factor = 1; i >= 0; i--, factor = 3 - factor) {
      const v = SYMBOLS.indexOf(code[i]);
      if (v < 0) return '';
      sum += Math.floor((v * factor) / 32) + ((v * factor) % 32);
    }
    return sum % 32 === 0 ? code : '';
  }
  const spelled = (code) => code.slice(0, 4) + '-' + code.slice(4);
  function hint(text, good) {
    $('lens-say').textContent = text;
    $('heard').textContent = text;
    signal(good);
  }
  document.addEventListener('qoa:code', (e) => {
    const { text, bars } = e.detail;
    if (bars) { product(text); return; }
    const code = codeOf(text);
    if (code.length === 6) hint('Ese es el QR de una tienda. Pide el de la tarjeta.', false);
    else if (!code) hint('Ese QR no es de Qoa.', false);
    else if (code[0] === 'R') prize(code);
    else {
      $('code').value = sale.elements.scanned.value = spelled(code);
      hint('Tarjeta ' + spelled(code) + '. Ahora los productos.', true);
    }
  });
  function product(digits) {
    const bare = (s) => s.replace(/^0+/, '');
    for (const box of sale.querySelectorAll('[data-stepper]')) {
      if (bare(box.dataset.gtin) !== bare(digits)) continue;
      bump(box, 1);
      hint('+1 ' + box.dataset.name, true);
      return;
    }
    $('other').open = true;
    $('gtin').value = digits;
    total();
    hint('Código ' + digits + ': no está en las promociones de hoy.', true);
  }
  function prize(code) {
    $('rcode').value = spelled(code);
    const give = element('button', 'Entregar premio', 'btn wide big');
    give.setAttribute('form', 'deliver-form');
    say('read', 'Premio ' + spelled(code), '', give);
    hint('Premio ' + spelled(code), true);
  }

  // ---- Selling ----
  function fieldsOf(form) {
    const fields = [];
    for (const [name, value] of new FormData(form)) {
      if (!['key', 'shop'].includes(name) && value !== '') fields.push([name, String(value)]);
    }
    return fields;
  }
  function described() { // the sale in words, for the list of those that wait
    const words = [];
    for (const box of sale.querySelectorAll('[data-stepper]')) {
      const n = Number(amount(box).value);
      if (n > 0) words.push(n + ' × ' + box.dataset.name);
    }
    const gtin = $('gtin').value.trim();
    if (gtin) words.push((Number($('gtin_qty').value) || 1) + ' × ' + gtin);
    return words.join(', ');
  }
  function clear() {
    sale.reset();
    for (const input of sale.querySelectorAll('input:not([type=hidden])')) input.value = '';
    sale.elements.scanned.value = '';
    sale.querySelectorAll('details').forEach((d) => { d.open = false; });
    sale.querySelectorAll('[data-stepper]').forEach(mark);
    total();
    if ($('lens').hidden) $('code').focus({ preventScroll: true });
  }
  function keptSay(why) {
    say('kept', 'Venta guardada en este teléfono', why || 'Se manda sola cuando haya internet. Puedes seguir vendiendo.');
    signal(true);
  }
  const sessionOver = () => say('bad', 'Tu sesión terminó', 'Lo que falta por enviar sigue en este teléfono. Escribe hola al WhatsApp de Qoa, abre tu enlace y se manda solo.');

  // Without room on the phone a sale is only in the form. It keeps its key while it
  // stays the same, so that a second try is no second sale.
  let unsure = null;
  async function sellBare(entry) {
    const same = JSON.stringify(entry.fields);
    if (unsure && JSON.stringify(unsure.fields) === same) entry = unsure;
    unsure = entry;
    const got = await queue.post(entry);
    if (got.state === 'saved') { unsure = null; clear(); answer(got.answer); }
    else if (got.state === 'refused') { unsure = null; answer(got.answer); }
    else if (got.state === 'session') sessionOver();
    else say('bad', 'Sin conexión', 'No sabemos si se guardó. Vuelve a tocar el botón: si ya estaba, no se guarda dos veces.');
  }

  async function sell() {
    if (!$('code').value.trim()) { say('bad', 'Falta el código del cliente', 'Escanéalo o escríbelo.'); signal(false); $('code').focus(); return; }
    if (!described()) { say('bad', 'Falta qué compró', 'Toca un producto o escanea su código de barras.'); signal(false); return; }
    const entry = { key: newKey(), owner, shop, at: clock(), fields: fieldsOf(sale), code: $('code').value.trim(), items: described() };
    try {
      await queue.put(entry);
    } catch {
      await sellBare(entry);
      return;
    }
    if (!navigator.onLine) { clear(); keptSay(); later(); await drawQueue(); return; }
    // Whoever waits in the queue does not wait for the network: after a while the
    // form is free, and the answer is shown when it comes.
    let freed = false;
    const slow = setTimeout(() => { freed = true; clear(); keptSay('El internet está lento: se sigue enviando sola.'); drawQueue(); $('save').disabled = false; }, 4000);
    const got = await queue.send(entry.key);
    clearTimeout(slow);
    if (got.state === 'saved') { if (!freed) clear(); answer(got.answer); }
    else if (got.state === 'refused') {
      // It stays in the form, to be put right; only where the form is another's by
      // now, among those that wait.
      if (!freed) await queue.remove(entry.key);
      answer(got.answer);
    } else {
      if (!freed) clear();
      if (got.state === 'session') sessionOver(); else keptSay();
      later();
    }
    await drawQueue();
  }

  async function deliver(form) {
    const body = new URLSearchParams(new FormData(form));
    try {
      const res = await fetch(form.action, { method: 'POST', body, credentials: 'same-origin', headers: { Accept: 'application/json' } });
      if (res.status === 401) { sessionOver(); return; }
      if (!(res.headers.get('Content-Type') || '').startsWith('application/json')) throw new Error('no answer of ours');
      const got = await res.json();
      answer(got);
      if (got.ok && form.id === 'deliver-form') form.reset();
      if (got.ok && form.id === 'deliver-form') $('rcode').value = '';
    } catch {
      say('bad', 'Sin conexión', form.id === 'deliver-form'
        ? 'Para entregar un premio hace falta internet. No lo entregues todavía: vuelve a intentar.'
        : 'No sabemos si se deshizo. Vuelve a intentar desde las ventas de hoy.');
      signal(false);
    }
  }

  // The button is dead until the answer is here.
  document.addEventListener('submit', async (e) => {
    const form = e.target;
    if (form.matches('[data-leave]')) { leave(); return; }
    if (form !== sale && form.id !== 'deliver-form' && !form.matches('.undo')) return;
    e.preventDefault();
    const button = form.querySelector('button.wide, .undo button');
    if (button.disabled) return;
    button.disabled = true;
    try { await (form === sale ? sell() : deliver(form)); } finally { button.disabled = false; }
  });
  // Who leaves takes the kept page along; unsent sales stay, for nobody else.
  function leave() {
    if (window.caches) caches.delete('qoa-tienda-pages');
  }

  // ---- The queue ----
  async function drawQueue() {
    let sales;
    try { sales = (await queue.all()).filter((s) => s.owner === owner); } catch { return; }
    const waiting = sales.filter((s) => !s.refused).length;
    $('queue').hidden = sales.length === 0;
    $('queue-title').textContent = waiting ? 'Por enviar: ' + waiting : 'Ventas que no se guardaron';
    $('queue-send').hidden = waiting === 0;
    $('queue-list').replaceChildren(...sales.map(line));
  }
  function line(s) {
    const li = element('li', '', s.refused ? 'refused' : '');
    const time = element('time', new Date(s.at).toLocaleTimeString('es-MX', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }));
    time.dateTime = s.at;
    const what = element('span', s.items);
    what.append(element('small', s.code.slice(-9)));
    li.append(time, what);
    const act = (words, name, does) => {
      const b = element('button', words, 'btn small ghost');
      b.type = 'button';
      b.setAttribute('aria-label', words + ' ' + s.items);
      b.dataset.act = name;
      b.addEventListener('click', does);
      return b;
    };
    if (s.refused) {
      li.append(element('p', s.refused, 'why'));
      const acts = element('p', '', 'acts');
      acts.append(act('Corregir', 'fix', () => fix(s)), act('Descartar', 'drop', async () => { await queue.remove(s.key); drawQueue(); }));
      li.append(acts);
    } else if (s.tried) {
      li.append(element('span', 'en espera', 'pill degraded')); // the server may have it: it is not ours to drop
    } else {
      li.append(act('Quitar', 'drop', async () => { await queue.remove(s.key); drawQueue(); }));
    }
    return li;
  }
  // fix brings a refused sale back into the form.
  async function fix(s) {
    clear();
    for (const [name, value] of s.fields) if (sale.elements[name]) sale.elements[name].value = value;
    sale.querySelectorAll('[data-stepper]').forEach(mark);
    $('other').open = !!$('gtin').value;
    total();
    await queue.remove(s.key);
    await drawQueue();
    $('code').focus();
  }
  let flushing = false;
  async function flush() {
    if (flushing) return;
    flushing = true;
    let saved = 0;
    let refused = 0;
    try {
      const state = await queue.flush(owner, async (s, got) => {
        if (got.state === 'saved' || got.state === 'refused') {
          learn(got.answer.now);
          drawToday(got.answer.today);
          $('heard').textContent = got.state === 'saved' ? 'Venta enviada: ' + s.items : got.answer.title;
          if (got.state === 'saved') saved++; else refused++;
        }
      });
      if (refused) {
        say('bad', refused === 1 ? 'Una venta no se guardó' : refused + ' ventas no se guardaron', refused === 1 ? 'Está abajo: corrígela o descártala.' : 'Están abajo: corrígelas o descártalas.');
        signal(false);
      } else if (saved && document.querySelector('#say .kept')) say('good', saved === 1 ? 'Venta enviada' : saved + ' ventas enviadas');
      if (state === 'session') sessionOver();
    } catch { /* no room for a queue on this phone */ } finally { flushing = false; }
    await drawQueue();
  }
  // later has the sales sent when there is a network: by the browser, where it does
  // that even when the page is closed, and by the page.
  async function later() {
    try {
      if (navigator.storage && navigator.storage.persist) navigator.storage.persist();
      const worker = await navigator.serviceWorker.ready;
      await worker.sync.register('qoa-sales');
    } catch { /* the page does it */ }
  }
  window.addEventListener('online', () => { drawNet(); flush(); });
  window.addEventListener('offline', drawNet);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) flush(); });
  setInterval(() => { if (navigator.onLine && !$('queue').hidden) flush(); }, 15000);
  $('queue-send').addEventListener('click', flush);
  function drawNet() { $('offline').hidden = navigator.onLine; }

  if ('serviceWorker' in navigator) {
    navigator.serviceWorker.register('/tienda/sw.js', { scope: '/tienda' }).catch(() => {});
    navigator.serviceWorker.addEventListener('message', (e) => { if (e.data === 'qoa-sales') drawQueue(); });
  }
  // A phone that scanned a card opens the page with its code. The address forgets it
  // once the form has it: a reload must not give the next sale to the last customer.
  const address = new URL(location.href);
  if (address.searchParams.has('code')) {
    if (!$('code').value) $('code').value = sale.elements.scanned.value = address.searchParams.get('code');
    address.searchParams.delete('code');
    history.replaceState(null, '', address);
  }
  // A kept page may be of another day: its sales are not today's.
  const day = (moment) => new Date(moment).toDateString();
  $('today').hidden = day(now) !== day(clock());

  // A kept page may be of who left: whose sales go out is who came in last, with us
  // as witness.
  drawNet();
  total();
  queue.setOwner(owner).catch(() => {});
  drawQueue().then(flush);
})();
