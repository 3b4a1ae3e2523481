// The simulated phone: sends what one writes, asks each second for what came.
(() => {
  'use strict';
  const url = document.currentScript.dataset.messages;
  const $ = (id) => document.getElementById(id);
  const list = $('messages'), chat = $('chat'), text = $('text'), people = $('people');
  const params = new URLSearchParams(location.search);
  const storage = { // private windows may refuse it
    get(k) { try { return localStorage.getItem(k); } catch { return null; } },
    set(k, v) { try { localStorage.setItem(k, v); } catch { /* fine */ } },
  };
  let me = '', after = '', shown = new Map(), timer = 0, round = 0, typingTimer = 0;

  // "+52 1 55…", "5255…" and "55…" are one person, as the server sees it.
  function canonical(raw) {
    const d = raw.replace(/\D/g, '');
    const ten = d.length === 13 && d.startsWith('521') ? d.slice(3) : d.length === 12 && d.startsWith('52') ? d.slice(2) : d;
    return ten.length === 10 ? '+52' + ten : '';
  }
  const pretty = (p) => p.replace(/^\+52(\d{2})(\d{4})(\d{4})$/, '+52 $1 $2 $3');
  function newID() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return 'sim-' + [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('');
  }

  function addPerson(phone, name, note) {
    const b = document.createElement('button');
    b.type = 'button';
    b.className = 'person';
    b.dataset.phone = phone;
    b.dataset.name = name;
    const face = document.createElement('span');
    face.className = 'face tone-' + (Number(phone.slice(-1)) % 4 + 1);
    face.textContent = '?';
    face.setAttribute('aria-hidden', 'true');
    const words = document.createElement('span');
    const bold = document.createElement('b');
    bold.textContent = name;
    const small = document.createElement('small');
    small.textContent = note;
    words.append(bold, small);
    b.append(face, words);
    const li = document.createElement('li');
    li.append(b);
    people.prepend(li);
  }

  function choose(phone) {
    me = phone;
    after = '';
    shown = new Map();
    round += 1;
    list.replaceChildren();
    hideTyping();
    storage.set('qoa-sim-me', phone);
    let entry = [...people.querySelectorAll('.person')].find((p) => p.dataset.phone === phone);
    if (!entry) { addPerson(phone, pretty(phone), 'otro teléfono'); entry = people.querySelector('.person'); }
    people.querySelectorAll('.person').forEach((p) => p.setAttribute('aria-pressed', String(p === entry)));
    $('who').textContent = 'Eres ' + entry.dataset.name;
    $('side').classList.remove('shown');
    const here = new URL(location.href);
    here.searchParams.set('phone', phone);
    here.searchParams.delete('text');
    history.replaceState(null, '', here);
    poll();
  }

  // WhatsApp's marks and links, built as nodes: a message is never markup.
  function write(node, body) {
    const token = /(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]])|\*([^*\n]+)\*|_([^_\n]+)_|~([^~\n]+)~|```([^`]+)```/g;
    let at = 0, m;
    while ((m = token.exec(body)) !== null) {
      const inWord = !m[1] && /[\p{L}\p{N}]/u.test(body[m.index - 1] || ' ');
      if (inWord) continue;
      node.append(body.slice(at, m.index));
      let part;
      if (m[1]) {
        part = document.createElement('a');
        part.href = m[1];
        part.target = '_blank';
        part.rel = 'noopener';
        part.textContent = m[1];
      } else {
        part = document.createElement(m[2] ? 'strong' : m[3] ? 'em' : m[4] ? 's' : 'code');
        part.textContent = m[2] || m[3] || m[4] || m[5];
      }
      node.append(part);
      at = m.index + m[0].length;
    }
    node.append(body.slice(at));
  }

  function bubble(message, mine) {
    const li = document.createElement('li');
    li.className = 'bubble' + (mine ? ' mine' : '');
    if (message.media_url) {
      const link = document.createElement('a');
      link.href = message.media_url;
      link.target = '_blank';
      link.rel = 'noopener';
      // Only what has an address of ours or is inline can be shown under our CSP.
      if ((message.media_type || '').startsWith('image')) {
        const img = document.createElement('img');
        img.src = message.media_url;
        img.alt = 'Imagen que mandó Qoa';
        img.addEventListener('load', bottom);
        link.append(img);
      } else link.textContent = 'Abrir archivo';
      li.append(link);
    }
    write(li, message.text || '');
    const time = document.createElement('time');
    const at = new Date(message.at);
    time.dateTime = message.at;
    time.textContent = at.toLocaleTimeString('es-MX', { hour: '2-digit', minute: '2-digit', hour12: false });
    if (mine) {
      const tick = document.createElement('span');
      tick.className = 'tick';
      tick.textContent = message.pending ? '✓' : '✓✓';
      tick.title = message.pending ? 'enviado' : 'recibido';
      time.append(tick);
    }
    li.append(time);
    return li;
  }

  function bottom() { chat.scrollTop = chat.scrollHeight; }
  function hideTyping() { clearTimeout(typingTimer); $('typing').hidden = true; }
  function problem(words) { $('problem').textContent = words; $('problem').hidden = !words; }

  function show(message) {
    const mine = message.direction === 'in';
    const old = shown.get(message.id);
    const node = bubble(message, mine);
    if (old) old.replaceWith(node); else list.append(node);
    shown.set(message.id, node);
    if (!mine) hideTyping();
  }

  async function poll() {
    clearTimeout(timer);
    const mine = round;
    if (me && !document.hidden) {
      try {
        const res = await fetch(url + '?' + new URLSearchParams(after ? { phone: me, after } : { phone: me }), { cache: 'no-store' });
        if (mine !== round) return;
        if (!res.ok) throw new Error(String(res.status));
        const { messages } = await res.json();
        if (mine !== round) return;
        (messages || []).forEach((m) => { show(m); after = m.id; });
        if (messages && messages.length) bottom();
        problem('');
      } catch {
        if (mine !== round) return;
        problem('No hay conexión con el servidor. Reintentando…');
      }
    }
    clearTimeout(timer);
    timer = setTimeout(poll, 1000);
  }

  async function send(body) {
    if (!me) person();
    const id = newID();
    show({ id, direction: 'in', text: body, at: new Date().toISOString(), pending: true });
    bottom();
    const mine = round;
    for (let attempt = 0; attempt < 3; attempt += 1) {
      try {
        const res = await fetch(url, {
          method: 'POST', headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ from: me, text: body, id }),
        });
        if (mine !== round) return;
        if (res.status !== 202) throw new Error(String(res.status));
        $('typing').hidden = false;
        typingTimer = setTimeout(hideTyping, 8000);
        bottom();
        poll();
        return;
      } catch { await new Promise((done) => { setTimeout(done, 700); }); }
    }
    const node = shown.get(id);
    if (node) node.classList.add('failed');
    problem('El mensaje no salió. Escríbelo otra vez.');
  }

  // Someone nobody has seen: 55, then eight random digits.
  function person() {
    const n = crypto.getRandomValues(new Uint32Array(1))[0] % 90000000 + 10000000;
    const phone = '+5255' + n;
    addPerson(phone, 'Persona nueva', pretty(phone));
    choose(phone);
  }

  function grow() {
    text.rows = Math.min(5, Math.max(1, text.value.split('\n').length, Math.ceil(text.value.length / 34)));
  }
  function submit() {
    const body = text.value;
    if (!body.trim()) return;
    text.value = '';
    grow();
    send(body);
  }

  $('write').addEventListener('submit', (e) => { e.preventDefault(); submit(); text.focus(); });
  text.addEventListener('input', grow);
  text.addEventListener('keydown', (e) => {
    if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) { e.preventDefault(); submit(); }
  });
  document.querySelectorAll('.chip').forEach((chip) => chip.addEventListener('click', () => {
    text.value = chip.dataset.text;
    grow();
    text.focus();
  }));
  people.addEventListener('click', (e) => {
    const p = e.target.closest('.person');
    if (p) choose(p.dataset.phone);
  });
  $('new-person').addEventListener('click', person);
  $('open-side').addEventListener('click', () => $('side').classList.add('shown'));
  $('close-side').addEventListener('click', () => $('side').classList.remove('shown'));
  $('other-form').addEventListener('submit', (e) => {
    e.preventDefault();
    const phone = canonical($('other-phone').value);
    $('other-phone').setCustomValidity(phone ? '' : 'Escribe diez dígitos');
    if (phone) choose(phone); else $('other-phone').reportValidity();
  });
  $('other-phone').addEventListener('input', () => $('other-phone').setCustomValidity(''));
  document.addEventListener('visibilitychange', () => { if (!document.hidden) poll(); });

  const wanted = canonical(params.get('phone') || '') || storage.get('qoa-sim-me');
  if (wanted) choose(wanted); else person();
  if (params.get('text')) { text.value = params.get('text'); grow(); text.focus(); }
})();
