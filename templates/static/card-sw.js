// Starts a card's page without a network: with the QR, the code and the balances
// as they were when it was last seen. There is one of these a card, and its scope
// is the card's own address. The list of files, SHELL, is written before this.
'use strict';

const PAGES = 'qoa-tarjeta-pages';
const own = new URL(self.registration.scope).pathname;
const patience = 2500; // at a counter nobody waits longer for a slow network

self.addEventListener('install', (e) => {
  e.waitUntil(caches.open(SHELL.name).then((c) => c.addAll(SHELL.files)).then(() => self.skipWaiting()));
});

// Older files go, but for those that a kept page names: this card's until it is here
// anew, and those of other cards on this phone, whose workers know nothing of this.
async function tidy() {
  const pages = await Promise.all((await (await caches.open(PAGES)).matchAll()).map((copy) => copy.text()));
  for (const name of await caches.keys()) {
    if (!name.startsWith('qoa-tarjeta-') || name === SHELL.name || name === PAGES) continue;
    const files = (await (await caches.open(name)).keys()).map((file) => new URL(file.url).pathname);
    const named = (file) => !SHELL.files.includes(file) && pages.some((html) => html.includes(file));
    if (!files.some(named)) await caches.delete(name);
  }
}

// The page that asked for this was there before it: it is kept from now on.
self.addEventListener('activate', (e) => {
  e.waitUntil((async () => {
    await tidy();
    await self.clients.claim();
    try { await seen(await fetch(own, { cache: 'no-store', credentials: 'same-origin' })); } catch { /* the next view does it */ }
  })());
});

// gone forgets the card: its link opens nothing any more.
async function gone() {
  await (await caches.open(PAGES)).delete(own);
  await self.registration.unregister();
}

// kept makes the answer that is kept of a page, under the rules under which it came.
function kept(html, headers) {
  const rules = ['Content-Type', 'Content-Security-Policy', 'Referrer-Policy'].map((name) => [name, headers.get(name) || '']);
  return new Response(html, { headers: rules });
}

// seen keeps a page that came, or forgets the card where the answer says so.
async function seen(res) {
  if (res.status === 404 || res.status === 410) await gone();
  else if (res.ok && !res.redirected) await (await caches.open(PAGES)).put(own, kept(await res.text(), res.headers));
}

// renewed puts what is new into the kept page.
async function renewed(res) {
  if (!res.ok) { await seen(res); return; }
  const pages = await caches.open(PAGES);
  const copy = await pages.match(own);
  if (!copy) return;
  const html = await copy.text();
  const from = html.indexOf('>', html.indexOf('<main ')) + 1;
  await pages.put(own, kept(html.slice(0, from) + (await res.text()) + html.slice(html.lastIndexOf('</main>')), copy.headers));
}

// copied is the kept page, which says of itself that it is one.
async function copied() {
  const copy = await (await caches.open(PAGES)).match(own);
  return copy && kept((await copy.text()).replace('data-kept=""', 'data-kept="1"'), copy.headers);
}

async function page(e, url) {
  const fresh = (async () => {
    const res = await fetch(e.request);
    // What a form is answered with is said once.
    if (!url.search || !res.ok) await seen(res.clone());
    return res;
  })();
  e.waitUntil(fresh.catch(() => {}));
  const copy = await copied();
  if (!copy) return fresh;
  if (url.search) return fresh.catch(() => copy); // what a form is answered with is worth the wait
  const slow = new Promise((ok) => { setTimeout(() => ok(copy), patience); });
  return Promise.race([fresh.then((res) => (res.status >= 500 ? copy : res)).catch(() => copy), slow]);
}

// part is a page or a form beside the card's own: without a network it leads back
// to what there is.
async function part(e, url) {
  try {
    const res = await fetch(e.request);
    // Whoever asked to be forgotten is forgotten here too. Where the answer was no,
    // the next view of the page keeps it anew.
    if (e.request.method === 'POST' && url.pathname === own + '/erasure') await gone();
    return res;
  } catch {
    return (await copied()) ? Response.redirect(own + '#sin-red', 303) : Response.error();
  }
}

self.addEventListener('fetch', (e) => {
  const url = new URL(e.request.url);
  if (url.origin !== self.location.origin) return;
  if (e.request.mode === 'navigate') {
    if (url.pathname === own && e.request.method === 'GET') e.respondWith(page(e, url));
    else if (url.pathname.startsWith(own + '/')) e.respondWith(part(e, url));
  } else if (url.pathname === own + '/fragment') {
    e.respondWith(fetch(e.request).then((res) => { e.waitUntil(renewed(res.clone())); return res; }));
  } else if (e.request.method === 'GET' && url.pathname.startsWith('/static/')) {
    e.respondWith(caches.match(e.request).then((copy) => copy || fetch(e.request)));
  }
});
