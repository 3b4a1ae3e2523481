// Adds and removes rows of a form. Without it a form has a few empty rows, and a
// row whose fields are emptied is removed.
(() => {
  'use strict';

  const swap = (text, list, from, to) => text.split(list + '-' + from + '-').join(list + '-' + to + '-').split(list + '[' + from + ']').join(list + '[' + to + ']');

  // A new row is a copy of the last one, emptied, with the next number in all
  // its names.
  function add(box) {
    const rows = [...box.querySelectorAll(':scope > [data-row]')];
    const last = rows[rows.length - 1];
    if (!last) return;
    const name = box.dataset.rows;
    const id = box.id;
    const used = [...last.querySelectorAll('[name]')].map((el) => el.name.slice(name.length + 1).split(']')[0]);
    const from = Number(used[0]);
    const to = from + 1;
    const row = last.cloneNode(true);
    for (const el of [row, ...row.querySelectorAll('*')]) {
      for (const attr of ['name', 'data-rows']) if (el.hasAttribute(attr)) el.setAttribute(attr, el.getAttribute(attr).split(name + '[' + from + ']').join(name + '[' + to + ']'));
      for (const attr of ['id', 'for', 'aria-describedby']) if (el.hasAttribute(attr)) el.setAttribute(attr, swap(el.getAttribute(attr), id, from, to));
      if (el.matches('input[type=checkbox]')) el.checked = false;
      else if (el.matches('input, textarea')) el.value = '';
      else if (el.matches('select')) el.selectedIndex = 0;
      else if (el.matches('.error')) el.remove();
    }
    last.after(row);
    number(box);
    const first = row.querySelector('input:not([type=hidden]), select');
    if (first) first.focus();
  }

  function number(box) {
    box.querySelectorAll(':scope > [data-row] > .row-head > b').forEach((b, i) => { b.textContent = b.textContent.replace(/\d+$/, i + 1); });
  }

  // The last row stays, since new ones are copies of it: it is emptied.
  function remove(row) {
    const box = row.parentElement;
    if (box.querySelectorAll(':scope > [data-row]').length === 1) add(box);
    row.remove();
    number(box);
    const to = box.querySelector(':scope > [data-add]');
    if (to) to.focus();
  }

  document.addEventListener('click', (e) => {
    const adder = e.target.closest('[data-add]');
    if (adder) add(adder.closest('[data-rows]'));
    const remover = e.target.closest('[data-remove]');
    if (remover) remove(remover.closest('[data-row]'));
  });
  document.querySelectorAll('[data-add], [data-remove]').forEach((b) => { b.hidden = false; });

  // A field that is linked to from the list of what is wrong may be folded away.
  function reveal() {
    const el = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let d = el && el.closest('details'); d; d = d.parentElement.closest('details')) d.open = true;
    if (el) { el.scrollIntoView({ block: 'center' }); el.focus({ preventScroll: true }); }
  }
  window.addEventListener('hashchange', reveal);
  if (location.hash) reveal();
})();
