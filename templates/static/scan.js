// Makes the scan page quick: steppers, one tap on a product adds one, and the
// answer comes without leaving the page. The server renders the same page for
// the plain form, so this only ever replaces what that answer says.
(() => {
  'use strict';

  function bump(box, by) {
    const input = box.querySelector('input[type=number]');
    input.value = Math.min(999, Math.max(0, (Number(input.value) || 0) + by)) || '';
    mark(box);
  }
  function mark(box) {
    box.classList.toggle('chosen', Number(box.querySelector('input[type=number]').value) > 0);
  }
  function dress(root) {
    root.querySelectorAll('.step[hidden]').forEach((b) => { b.hidden = false; });
  }

  document.addEventListener('click', (e) => {
    const box = e.target.closest('[data-stepper]');
    if (!box) return;
    const step = e.target.closest('.step');
    if (step) { bump(box, Number(step.dataset.step)); return; }
    if (e.target.closest('label, .face')) { e.preventDefault(); bump(box, 1); }
  });
  document.addEventListener('input', (e) => {
    const box = e.target.closest('[data-stepper]');
    if (box) mark(box);
  });
  document.addEventListener('change', (e) => {
    if (e.target.matches('[data-go]')) e.target.form.submit();
  });
  // A barcode reader types the code and Enter: in the code field that must lead
  // to the products, not save a sale without any.
  document.addEventListener('keydown', (e) => {
    if (e.key !== 'Enter' || e.target.id !== 'code') return;
    const chosen = document.querySelector('.product.chosen') || (document.getElementById('gtin') || {}).value;
    if (chosen) return;
    e.preventDefault();
    const first = document.querySelector('.product input, #gtin');
    if (first) first.focus();
  });

  function tell(title, detail) {
    const box = document.createElement('section');
    box.className = 'result bad';
    const h = document.createElement('h2');
    h.textContent = title;
    const p = document.createElement('p');
    p.textContent = detail;
    box.append(h, p);
    document.getElementById('say').replaceChildren(box);
    box.scrollIntoView({ block: 'nearest' });
  }

  // The button is dead until the answer is here, and the key stays the same until
  // the server has said yes: a double tap or a second try is never a second sale.
  document.addEventListener('submit', async (e) => {
    const form = e.target;
    if (form.method !== 'post' || !form.querySelector('[name=key]')) return;
    e.preventDefault();
    const button = form.querySelector('button.wide');
    if (button.disabled) return;
    button.disabled = true;
    try {
      const res = await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)), credentials: 'same-origin' });
      const page = new DOMParser().parseFromString(await res.text(), 'text/html');
      if (!page.getElementById('sale') && res.status >= 500) {
        button.disabled = false;
        tell('Algo falló de nuestro lado', 'Vuelve a tocar el botón: si ya estaba guardado, no se guarda dos veces.');
        return;
      }
      if (!page.getElementById('sale')) { // another page, such as "your session ended"
        if (res.redirected) location.assign(res.url); else location.reload();
        return;
      }
      document.querySelector('main').replaceChildren(...page.querySelector('main').childNodes);
      dress(document);
      const bad = document.querySelector('[data-bad]');
      const shown = document.querySelector('.result');
      if (shown) shown.scrollIntoView({ block: 'center' });
      if (navigator.vibrate) navigator.vibrate(bad ? [80, 60, 80] : 40);
      const next = document.getElementById(form.id === 'sale' ? 'code' : 'rcode');
      if (next) { next.focus({ preventScroll: true }); if (bad) next.select(); }
    } catch {
      button.disabled = false;
      tell('Sin conexión', 'No sabemos si se guardó. Vuelve a tocar el botón: si ya estaba, no se guarda dos veces.');
    }
  });

  dress(document);
})();
