// Renews one part of a page every few seconds while the page is seen. Without it
// the page works by reload.
(() => {
  'use strict';
  const say = document.getElementById('say');
  const states = (part) => [...part.querySelectorAll('[data-say]')].map((el) => el.dataset.say);
  let part = document.getElementById('live');
  let timer = 0, last = '', busy = false;

  function put(html) {
    const before = states(part);
    const box = document.createElement('template');
    box.innerHTML = html;
    const fresh = box.content.getElementById('live');
    if (!fresh) return;
    // Whoever stands on a link or a button stays on it.
    const focus = part.contains(document.activeElement) ? document.activeElement.outerHTML : '';
    part.replaceWith(fresh);
    part = fresh;
    if (focus) {
      const same = [...part.querySelectorAll('a, button')].find((el) => el.outerHTML === focus);
      if (same) same.focus();
    }
    const news = states(part).filter((s) => !before.includes(s));
    if (news.length && say) say.textContent = news.join('. ');
  }

  async function renew() {
    if (busy) return;
    busy = true;
    try {
      const res = await fetch(part.dataset.live, { cache: 'no-store', credentials: 'same-origin' });
      // Gone, or the session ended: the page itself says so.
      if (res.redirected || res.status === 401 || res.status === 403 || res.status === 404) { location.reload(); return; }
      if (res.ok) {
        const html = await res.text();
        if (html !== last) { last = html; put(html); }
      }
    } catch { /* no network: the next time, or "online", tries again */ } finally {
      busy = false;
      plan();
    }
  }

  function plan() {
    clearTimeout(timer);
    const every = Number(part.dataset.every);
    if (every > 0 && !document.hidden) timer = setTimeout(renew, every * 1000);
  }

  document.addEventListener('visibilitychange', () => { if (document.hidden) clearTimeout(timer); else renew(); });
  window.addEventListener('online', renew);
  plan();
})();
