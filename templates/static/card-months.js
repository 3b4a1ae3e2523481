// Puts older months below the one that is shown. Without it each month is a page.
(() => {
  'use strict';
  const main = document.getElementById('main');
  const say = document.getElementById('say');
  document.addEventListener('click', async (e) => {
    const link = e.target.closest('[data-older]');
    if (!link) return;
    e.preventDefault();
    if (link.getAttribute('aria-busy')) return;
    link.setAttribute('aria-busy', 'true');
    // What is coming has a place before it comes.
    const room = document.createElement('div');
    room.className = 'panel month skeleton';
    room.append(...Array.from({ length: 4 }, () => document.createElement('i')));
    main.append(room);
    try {
      const res = await fetch(link.href, { cache: 'no-store', credentials: 'same-origin' });
      if (!res.ok) throw new Error('no month');
      const page = new DOMParser().parseFromString(await res.text(), 'text/html');
      const month = page.querySelector('.month');
      const newer = month.querySelector('[data-newer]');
      const nav = month.querySelector('nav');
      if (newer) newer.remove(); // it stands above
      if (nav && !nav.querySelector('a')) nav.remove();
      room.replaceWith(month);
      link.closest('nav').remove();
      say.textContent = month.querySelector('h2').textContent;
      month.querySelector('h2').focus();
    } catch {
      room.remove();
      location.href = link.href; // the page says what is wrong
    }
  });
})();
