// Keeps the card page fresh: one event stream while the page is seen, one small
// fetch of the fragment when it rings. Without it the page works by reload.
(() => {
  'use strict';
  const { events, fragment } = document.currentScript.dataset;
  const main = document.getElementById('main');
  const say = document.getElementById('say');
  let stream = null, retry = 0, wait = 1000, busy = false, again = false, last = '';

  const balances = () => new Map([...main.querySelectorAll('[data-campaign]')]
    .map((el, i) => [i + el.dataset.campaign, Number(el.dataset.balance)]));

  // Puts the new page in and keeps what the reader had open or in focus.
  function put(html) {
    const before = balances();
    const open = [...main.querySelectorAll('details[open][id]')].map((d) => d.id);
    const flash = main.querySelector('[data-flash]');
    const focus = document.activeElement && main.contains(document.activeElement) ? document.activeElement.id : '';
    main.innerHTML = html;
    if (flash && !main.querySelector('[data-flash]')) main.prepend(flash);
    open.forEach((id) => { const d = document.getElementById(id); if (d) d.open = true; });
    if (focus) { const el = document.getElementById(focus); if (el) el.focus(); }
    const news = [];
    [...main.querySelectorAll('[data-campaign]')].forEach((el, i) => {
      const old = before.get(i + el.dataset.campaign) ?? 0;
      const now = Number(el.dataset.balance);
      if (now === old) return;
      news.push(el.dataset.say);
      if (now < old) return;
      el.classList.add('fresh');
      [...el.querySelectorAll('.slot')].slice(Math.max(old, 0), Math.max(now, 0)).forEach((s) => s.classList.add('fresh'));
    });
    if (news.length) say.textContent = news.join('. ');
  }

  async function refresh() {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const res = await fetch(fragment, { cache: 'no-store', credentials: 'same-origin' });
      if (res.status === 404 || res.status === 410) { location.reload(); return; }
      if (res.ok) {
        const html = await res.text();
        if (html !== last) { last = html; put(html); }
      }
    } catch { /* no network: the next bell, or "online", tries again */ } finally {
      busy = false;
      if (again) { again = false; refresh(); }
    }
  }

  function close() {
    clearTimeout(retry);
    if (stream) { stream.close(); stream = null; }
  }

  // The browser reconnects by itself after a dropped line, not after an error
  // answer: then we do, ever more slowly.
  function open() {
    close();
    if (!events || !window.EventSource) return;
    stream = new EventSource(events);
    stream.addEventListener('changed', refresh);
    stream.addEventListener('open', () => { wait = 1000; refresh(); });
    stream.addEventListener('error', () => {
      if (stream && stream.readyState === EventSource.CLOSED) {
        close();
        retry = setTimeout(open, wait + Math.random() * 1000);
        wait = Math.min(wait * 2, 30000);
      }
    });
  }

  document.addEventListener('visibilitychange', () => { if (document.hidden) close(); else open(); });
  window.addEventListener('online', open);
  window.addEventListener('pageshow', (e) => { if (e.persisted) open(); });
  if (!document.hidden) open();
})();
