// Keeps the card page fresh: one event stream while the page is seen, one small
// fetch of the fragment when it rings. It keeps the page for when there is no
// network, and shares a shop. Without it the page works by reload.
(() => {
  'use strict';
  const { own, events, fragment, kept } = document.currentScript.dataset;
  const main = document.getElementById('main');
  const say = document.getElementById('say');
  const page = document.body.classList;
  let stream = null, retry = 0, wait = 1000, busy = false, again = false, last = '';

  const balances = () => new Map([...main.querySelectorAll('[data-campaign]')]
    .map((el, i) => [i + el.dataset.campaign, Number(el.dataset.balance)]));

  // A phone's clock may be wrong; ours told by how much when the page was fresh. A
  // code that was kept says by itself that its time is over.
  const ahead = (set) => {
    try {
      if (set !== undefined) localStorage.setItem('qoa.card-ahead', String(set));
      return Number(localStorage.getItem('qoa.card-ahead'));
    } catch { return set || 0; /* private windows have none */ }
  };
  function learn() { ahead(Date.now() - Date.parse(main.querySelector('#kept').dataset.at)); }
  function age() {
    const now = Date.now() - ahead();
    main.querySelectorAll('[data-until]').forEach((el) => el.classList.toggle('over', Date.parse(el.dataset.until) <= now));
  }

  // Puts the new page in and keeps what the reader had open or in focus.
  function put(html) {
    const before = balances();
    const open = [...main.querySelectorAll('details[open][id]')].map((d) => d.id);
    const flash = main.querySelector('[data-flash]');
    const focus = document.activeElement && main.contains(document.activeElement) ? document.activeElement.id : '';
    main.innerHTML = html;
    learn();
    age();
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

  // What is seen is of when it was last heard of, and the page says so.
  function offline(is) {
    page.remove('waiting');
    if (page.contains('offline') === is) return;
    page.toggle('offline', is);
    if (!is) page.remove('refused');
    say.textContent = is ? main.querySelector('#kept .off').textContent : 'Hay conexión otra vez.';
  }

  async function refresh() {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const res = await fetch(fragment, { cache: 'no-store', credentials: 'same-origin' });
      if (res.status === 404 || res.status === 410) { location.reload(); return; }
      if (!res.ok) throw new Error('no page');
      const html = await res.text();
      if (html !== last) { last = html; put(html); }
      offline(false);
    } catch { offline(true); /* the next bell, or "online", tries again */ } finally {
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
    if (!events || !window.EventSource) { refresh(); return; }
    stream = new EventSource(events);
    stream.addEventListener('changed', refresh);
    stream.addEventListener('open', () => { wait = 1000; refresh(); });
    stream.addEventListener('error', () => {
      const over = stream && stream.readyState === EventSource.CLOSED;
      if (over || !page.contains('offline')) refresh();
      if (over) {
        close();
        retry = setTimeout(open, wait + Math.random() * 1000);
        wait = Math.min(wait * 2, 30000);
      }
    });
  }

  document.addEventListener('visibilitychange', () => { if (document.hidden) close(); else open(); });
  window.addEventListener('online', open);
  window.addEventListener('offline', () => offline(true));
  window.addEventListener('pageshow', (e) => { if (e.persisted) open(); });

  // What needs a network is not sent without one: the button would lead nowhere.
  function refuse() {
    page.add('offline', 'refused');
    say.textContent = main.querySelector('#kept .act').textContent;
  }
  document.addEventListener('submit', (e) => { if (page.contains('offline')) { e.preventDefault(); refuse(); } });

  // Sharing is of the shop's public address, never of this page's.
  document.addEventListener('click', async (e) => {
    const link = e.target.closest('[data-share]');
    if (!link) return;
    e.preventDefault();
    const shop = link.dataset.share;
    try {
      if (navigator.share) await navigator.share({ title: shop, text: 'Junta sellos y puntos en ' + shop + ' con Qoa, por WhatsApp:', url: link.href });
      else {
        await navigator.clipboard.writeText(link.href);
        link.childNodes[1].textContent = 'Enlace copiado';
        say.textContent = 'Enlace copiado.';
      }
    } catch (why) {
      if (why.name !== 'AbortError') window.prompt('Copia el enlace de la tienda:', link.href); // neither is to be had
    }
  });

  if ('serviceWorker' in navigator) navigator.serviceWorker.register('/c/sw.js', { scope: own }).catch(() => {});

  // Browsers that ask by themselves whether to install let us ask at a better moment.
  window.addEventListener('beforeinstallprompt', (e) => {
    e.preventDefault();
    const go = document.getElementById('install-go');
    go.hidden = false;
    document.getElementById('install-how').hidden = true;
    go.onclick = async () => { await e.prompt(); };
  });
  window.addEventListener('appinstalled', () => { document.getElementById('install').remove(); });

  if (kept) { page.add('waiting'); refresh(); } else learn();
  age();
  setInterval(age, 30000);
  if (location.hash === '#sin-red') { refuse(); history.replaceState(null, '', own); }
  if (!navigator.onLine) offline(true);
  if (!document.hidden && events) open();
})();
