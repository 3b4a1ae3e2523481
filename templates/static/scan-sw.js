// Starts the scan page without a network, and sends what waits when there is one
// again and the page is closed. The list of files, SHELL, is written before this.
'use strict';

importScripts(SHELL.queue);

const PAGES = 'qoa-tienda-pages';
const PHOTOS = 'qoa-tienda-fotos';
const MOST_PHOTOS = 100;

self.addEventListener('install', (e) => {
  e.waitUntil(caches.open(SHELL.name).then((c) => c.addAll(SHELL.files)).then(() => self.skipWaiting()));
});

self.addEventListener('activate', (e) => {
  e.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith('qoa-tienda-') && name !== SHELL.name && name !== PAGES && name !== PHOTOS) await caches.delete(name);
    }
    await self.clients.claim();
  })());
});

// A photo's address changes with its content: what is kept is never stale.
async function photo(e) {
  const kept = await caches.open(PHOTOS);
  const copy = await kept.match(e.request);
  if (copy) return copy;
  const res = await fetch(e.request);
  if (res.ok) {
    await kept.put(e.request, res.clone());
    for (const old of (await kept.keys()).slice(0, -MOST_PHOTOS)) await kept.delete(old);
  }
  return res;
}

// shopOf is the page's address without what was scanned to open it.
function shopOf(url) {
  const shop = url.searchParams.get('shop');
  return shop ? '/tienda?shop=' + encodeURIComponent(shop) : '/tienda';
}

async function page(e, url) {
  const kept = await caches.open(PAGES);
  const fresh = (async () => {
    const res = await fetch(e.request);
    if (res.status === 401) await caches.delete(PAGES); // whoever is there now is nobody
    else if (res.ok && !res.redirected && !url.searchParams.has('code')) { // one customer's code is not for the next
      await kept.put(shopOf(url), res.clone());
      await kept.put('/tienda', res.clone());
    }
    return res;
  })();
  e.waitUntil(fresh.catch(() => {}));
  const copy = (await kept.match(shopOf(url))) || (await kept.match('/tienda'));
  if (!copy) return fresh;
  // A queue does not wait for a slow network: after three seconds the kept page is
  // there, and sells as well.
  const slow = new Promise((ok) => { setTimeout(() => ok(copy), 3000); });
  return Promise.race([fresh.then((res) => (res.status >= 500 ? copy : res)).catch(() => copy), slow]);
}

self.addEventListener('fetch', (e) => {
  const url = new URL(e.request.url);
  if (url.origin !== self.location.origin) return;
  if (url.pathname === '/tienda/logout') e.waitUntil(caches.delete(PAGES)); // from whatever page
  if (e.request.method !== 'GET') return;
  if (e.request.mode === 'navigate') {
    if (url.pathname === '/tienda') e.respondWith(page(e, url));
    else if (url.pathname.startsWith('/tienda/')) {
      e.respondWith(fetch(e.request).catch(async () => ((await caches.match('/tienda')) ? Response.redirect('/tienda#sin-red') : Response.error())));
    }
    return;
  }
  if (url.pathname.startsWith('/fotos/')) e.respondWith(photo(e));
  if (url.pathname.startsWith('/static/')) {
    e.respondWith(caches.match(e.request).then((kept) => kept || fetch(e.request)));
  }
});

self.addEventListener('sync', (e) => {
  if (e.tag !== 'qoa-sales') return;
  e.waitUntil((async () => {
    const state = await QoaQueue.flush(await QoaQueue.owner());
    for (const c of await self.clients.matchAll()) c.postMessage('qoa-sales');
    if (state === 'waiting') throw new Error('no network yet'); // the browser tries again
  })());
});
