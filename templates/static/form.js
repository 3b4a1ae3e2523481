// Adds and removes rows of a form. Without it a form has a few empty rows, and a
// row whose fields are emptied is removed.
(() => {
  'use strict';
  const blanks = new Map(); // of each list: an empty row, to copy

  const renamed = (text, name, from, to) => text.split(name + from).join(name + to);

  // An empty row's names and IDs hold its number; a copy gets one of its own.
  function add(box) {
    const { row, number } = blanks.get(box);
    const next = box.dataset.next++;
    const copy = row.cloneNode(true);
    for (const el of [copy, ...copy.querySelectorAll('*')]) {
      if (el.name) el.name = renamed(el.name, box.dataset.rows + '[', number + ']', next + ']');
      for (const attr of ['id', 'for', 'aria-describedby']) {
        if (el.hasAttribute(attr)) el.setAttribute(attr, renamed(el.getAttribute(attr), box.id + '-', number + '-', next + '-'));
      }
    }
    box.querySelector(':scope > [data-add]').before(copy);
    count(box);
    copy.querySelector('input:not([type=hidden]), select').focus();
  }

  function count(box) {
    const rows = [...box.querySelectorAll(':scope > [data-row]')];
    rows.forEach((row, i) => {
      const head = row.querySelector('.row-head > b');
      head.textContent = head.textContent.replace(/\d+$/, i + 1);
      row.setAttribute('aria-label', head.textContent);
    });
    box.querySelector(':scope > [data-add]').hidden = rows.length >= Number(box.dataset.most);
  }

  document.querySelectorAll('[data-rows]').forEach((box) => {
    const empty = [...box.querySelectorAll(':scope > [data-blank]')];
    box.querySelectorAll('[data-remove]').forEach((b) => { b.hidden = false; });
    if (!empty.length) return;
    const rows = box.querySelectorAll(':scope > [data-row]').length;
    blanks.set(box, { row: empty[empty.length - 1], number: rows - 1 });
    box.dataset.next = rows;
    empty.forEach((row) => row.remove());
    count(box);
  });

  document.addEventListener('click', (e) => {
    const adder = e.target.closest('[data-add]');
    if (adder) add(adder.closest('[data-rows]'));
    const remover = e.target.closest('[data-remove]');
    if (!remover) return;
    const box = remover.closest('[data-rows]');
    remover.closest('[data-row]').remove();
    if (!blanks.has(box)) return;
    count(box);
    box.querySelector(':scope > [data-add]').focus();
  });

  // A long list is searched while one types; what is ticked moves to what is chosen.
  const searches = new WeakMap(); // of each list: what is under way
  async function search(box) {
    searches.get(box)?.abort();
    const asked = new AbortController();
    searches.set(box, asked);
    const by = new URL(box.dataset.find, location.href);
    box.querySelectorAll('[data-query]:not([type=hidden])').forEach((el) => {
      const [name, part] = el.name.split('~');
      by.searchParams.set('name', name);
      if (el.value) by.searchParams.set(part, el.value);
    });
    try {
      const res = await fetch(by, { signal: asked.signal });
      if (!res.ok || res.redirected) return;
      const results = box.querySelector('[data-results]');
      results.innerHTML = await res.text();
      const chosen = new Set([...box.querySelectorAll('[data-chips] input')].map((el) => el.value));
      results.querySelectorAll('li').forEach((li) => { if (chosen.has(li.querySelector('input').value)) li.remove(); });
      box.querySelector('[data-found]').textContent = results.querySelector('.found')?.textContent || '';
    } catch {} // the next key asks again
  }
  const waits = new WeakMap();
  document.addEventListener('input', (e) => {
    const box = e.target.matches('[data-query]') && e.target.closest('[data-find]');
    if (!box) return;
    e.stopImmediatePropagation(); // what is searched is not yet chosen
    clearTimeout(waits.get(box));
    waits.set(box, setTimeout(() => search(box), 250));
  }, true);
  document.addEventListener('keydown', (e) => {
    if (e.key === 'Enter' && e.target.matches('input[data-query]')) {
      e.preventDefault();
      search(e.target.closest('[data-find]'));
    }
  });
  document.addEventListener('click', (e) => {
    const look = e.target.closest('[data-look]');
    if (!look) return;
    e.preventDefault();
    search(look.closest('[data-find]'));
  });
  document.addEventListener('change', (e) => {
    const li = e.target.matches('[data-find] [type=checkbox]') && e.target.closest('li');
    if (!li) return;
    const chips = li.closest('[data-find]').querySelector('[data-chips]');
    if (e.target.checked) {
      e.target.setAttribute('checked', '');
      chips.append(li);
      chips.closest('details')?.setAttribute('open', '');
      e.target.focus();
    } else if (chips.contains(li)) {
      const next = li.nextElementSibling || li.previousElementSibling;
      li.remove();
      (next || chips.closest('[data-find]')).querySelector('input').focus();
    }
    chips.closest('form').dispatchEvent(new Event('input', { bubbles: true }));
  });
  // A search that stands there is not what is being sent, but for adding all of it.
  document.addEventListener('submit', (e) => {
    if (e.submitter?.matches('[data-all]')) return;
    e.target.querySelectorAll('[data-query]').forEach((el) => { el.disabled = true; });
  });
  window.addEventListener('pageshow', () => document.querySelectorAll('[data-query]').forEach((el) => { el.disabled = false; }));

  // A field that is about another one's value is shown while that has it.
  function fitting() {
    document.querySelectorAll('[data-when]').forEach((box) => {
      const [name, values] = box.dataset.when.split('=');
      const by = document.getElementById('f-' + name);
      if (!by) return;
      const off = !values.split(',').includes(by.type === 'checkbox' ? (by.checked ? '1' : '') : by.value);
      box.toggleAttribute('data-off', off);
      if (box.matches('fieldset')) box.disabled = off; // what is chosen there is not sent
    });
  }
  document.addEventListener('change', fitting);
  fitting();

  const form = document.querySelector('form[data-preview]');
  if (form) {
    const shown = document.querySelector('#vista [data-shown]');
    const say = document.querySelector('#vista [data-say]');
    let timer, asked;
    form.querySelector('[data-see]').hidden = true;

    // What is written is shown as a consumer will see it, a moment after the last
    // key.
    async function show() {
      asked?.abort();
      asked = new AbortController();
      try {
        const body = new URLSearchParams(new FormData(form));
        const res = await fetch(form.dataset.preview, { method: 'POST', body, signal: asked.signal, headers: { Accept: 'text/html' } });
        if (!res.ok || res.redirected) return;
        const open = shown.querySelector('details').open;
        shown.innerHTML = await res.text();
        shown.querySelector('details').open = open;
        const sale = shown.querySelector('.gives');
        say.textContent = sale ? sale.textContent : '';
      } catch {} // the next key asks again
    }

    // It is kept until it is saved, so that a page that is loaded again has it.
    const key = form.dataset.keep && 'qoa.' + form.dataset.keep;
    const fields = () => [...form.elements].filter((el) => el.name && !['hidden', 'submit', 'search'].includes(el.type) && !el.matches('[data-query], [data-results] *'));
    const chips = () => [...form.querySelectorAll('[data-chips]')];
    function keep() {
      if (!key) return;
      sessionStorage.setItem(key, JSON.stringify({ fields: fields().map((el) => [el.name, el.value, el.checked]), chips: chips().map((el) => el.innerHTML) }));
    }
    function restore() {
      const kept = key && !form.querySelector('[aria-invalid]') && sessionStorage.getItem(key);
      if (!kept) return;
      const { fields: all, chips: were } = JSON.parse(kept);
      let changed = false;
      chips().forEach((el, i) => {
        changed ||= el.innerHTML !== were[i];
        el.innerHTML = were[i];
      });
      fields().forEach((el) => {
        const at = all.findIndex(([name, value]) => name === el.name && (el.type !== 'checkbox' || value === el.value));
        if (at < 0) return;
        const [, value, checked] = all.splice(at, 1)[0];
        if (el.type === 'checkbox') {
          changed ||= el.checked !== checked;
          el.checked = checked;
        } else if (el.value !== value) {
          changed = true;
          el.value = value;
        }
      });
      fitting();
      if (changed) show();
    }
    form.addEventListener('input', () => {
      keep();
      clearTimeout(timer);
      timer = setTimeout(show, 350);
    });
    restore();
  }

  // A field that is linked to from the list of what is wrong may be folded away.
  function reveal() {
    const el = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!el) return;
    for (let d = el.closest('details'); d; d = d.parentElement.closest('details')) d.open = true;
    el.scrollIntoView({ block: 'center' });
    el.focus({ preventScroll: true });
  }
  window.addEventListener('hashchange', reveal);
  reveal();
})();
