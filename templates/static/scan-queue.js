// The sales that this phone keeps until the server has answered for them. Each is
// stored before it is sent, with a key of its own: however often it is sent, it is
// one sale. The page and the service worker share this file.
(() => {
  'use strict';

  const request = (r) => new Promise((ok, no) => { r.onsuccess = () => ok(r.result); r.onerror = () => no(r.error); });
  let opened;
  function db() {
    opened ||= new Promise((ok, no) => {
      const r = indexedDB.open('qoa-tienda', 1);
      r.onupgradeneeded = () => { r.result.createObjectStore('sales', { keyPath: 'key' }); r.result.createObjectStore('meta'); };
      r.onsuccess = () => ok(r.result);
      r.onerror = () => { opened = null; no(r.error); };
    });
    return opened;
  }
  async function store(name, mode, use) {
    const t = (await db()).transaction(name, mode);
    const done = new Promise((ok, no) => { t.oncomplete = ok; t.onabort = t.onerror = () => no(t.error); });
    const value = await request(use(t.objectStore(name)));
    await done;
    return value;
  }
  const put = (sale) => store('sales', 'readwrite', (s) => s.put(sale));
  const remove = (key) => store('sales', 'readwrite', (s) => s.delete(key));
  const get = (key) => store('sales', 'readonly', (s) => s.get(key));
  const all = async () => (await store('sales', 'readonly', (s) => s.getAll())).sort((a, b) => (a.at < b.at ? -1 : 1));
  const owner = () => store('meta', 'readonly', (s) => s.get('owner'));
  const setOwner = (id) => store('meta', 'readwrite', (s) => s.put(id, 'owner'));

  // post sends one sale and says what became of it: saved, refused (never will be),
  // session (who sells must come in again) or waiting (nobody knows).
  async function post(sale) {
    const body = new URLSearchParams(sale.fields);
    body.set('key', sale.key);
    body.set('shop', sale.shop);
    body.set('owner', sale.owner);
    body.set('at', sale.at);
    const late = new AbortController(); // AbortSignal.timeout is younger than many a phone at a counter
    const timer = setTimeout(() => late.abort(), 20000);
    try {
      const res = await fetch('/tienda', {
        method: 'POST', body, credentials: 'same-origin', headers: { Accept: 'application/json' }, signal: late.signal,
      });
      if (res.status === 401) return { state: 'session' };
      const ours = (res.headers.get('Content-Type') || '').startsWith('application/json');
      if (!ours) return { state: 'waiting' }; // a fault, a limit, or a café's login page
      const answer = await res.json();
      if (res.ok) return { state: 'saved', answer };
      return { state: res.status < 500 && res.status !== 429 ? 'refused' : 'waiting', answer };
    } catch {
      return { state: 'waiting' };
    } finally {
      clearTimeout(timer);
    }
  }

  // One sender at a time, in all tabs and in the worker. It is only thrift: the keys
  // see to the rest.
  const alone = (work) => (navigator.locks ? navigator.locks.request('qoa-sales', work) : work());

  // send sends a stored sale. What will never be saved stays, with the reason.
  const send = (key) => alone(async () => {
    const sale = await get(key);
    if (!sale || sale.refused) return { state: 'gone' };
    sale.tried = true; // from now on the server may have it
    await put(sale);
    const got = await post(sale);
    if (got.state === 'saved') await remove(key);
    if (got.state === 'refused') await put({ ...sale, refused: got.answer.detail || got.answer.title });
    return got;
  });

  // flush sends all that wait, oldest first, until one finds no network.
  async function flush(who, each) {
    for (const sale of await all()) {
      if (sale.refused || sale.owner !== who) continue;
      const got = await send(sale.key);
      if (each) await each(sale, got);
      if (got.state === 'waiting' || got.state === 'session') return got.state;
    }
    return 'done';
  }

  self.QoaQueue = { put, remove, get, all, owner, setOwner, post, send, flush };
})();
