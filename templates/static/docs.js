// Draws the OpenAPI document as a page: operations by tag, with parameters,
// bodies and answers. No library: the document is ours and plain.
(() => {
  'use strict';
  const specURL = document.currentScript.dataset.spec;
  const root = document.getElementById('api');
  const find = document.getElementById('find');
  let spec;

  function el(tag, cls, ...kids) {
    const node = document.createElement(tag);
    if (cls) node.className = cls;
    node.append(...kids.filter((k) => k !== null && k !== undefined && k !== ''));
    return node;
  }
  const slug = (s) => 't-' + s.toLowerCase().replace(/[^a-z0-9]+/g, '-');

  function deref(node) {
    let hops = 0;
    while (node && node.$ref && hops++ < 20) {
      node = node.$ref.replace(/^#\//, '').split('/')
        .reduce((at, key) => at && at[key.replace(/~1/g, '/').replace(/~0/g, '~')], spec);
    }
    return node || {};
  }
  const refName = (node) => (node && node.$ref ? node.$ref.split('/').pop() : '');

  function typeOf(schema) {
    const name = refName(schema);
    const s = deref(schema);
    if (s.const !== undefined) return JSON.stringify(s.const);
    if (s.enum) return s.enum.map((v) => JSON.stringify(v)).join(' | ');
    if (s.type === 'array') return typeOf(s.items) + '[]';
    const many = s.oneOf || s.anyOf;
    if (many) return many.map(typeOf).join(' | ');
    const base = [].concat(s.type || (s.properties || s.allOf ? 'object' : 'any')).join(' | ');
    return name || (s.format ? base + ' (' + s.format + ')' : base);
  }

  // All properties of an object, through allOf.
  function properties(schema, depth = 0) {
    const s = deref(schema);
    if (depth > 8) return [[], []];
    let props = Object.entries(s.properties || {});
    let required = s.required || [];
    (s.allOf || []).forEach((part) => {
      const [p, r] = properties(part, depth + 1);
      props = props.concat(p);
      required = required.concat(r);
    });
    return [props, required];
  }

  // A small example where the document gives none. Recursion ends at depth 5.
  function sample(schema, depth = 0) {
    const s = deref(schema);
    if (s.example !== undefined) return s.example;
    if (s.examples && s.examples.length) return s.examples[0];
    if (s.const !== undefined) return s.const;
    if (s.default !== undefined) return s.default;
    if (s.enum) return s.enum[0];
    const many = s.oneOf || s.anyOf;
    if (many) return sample(many[0], depth);
    if (depth > 5) return null;
    const type = [].concat(s.type || (s.properties || s.allOf ? 'object' : 'string')).find((t) => t !== 'null');
    switch (type) {
      case 'object': return Object.fromEntries(properties(s)[0].map(([k, v]) => [k, sample(v, depth + 1)]));
      case 'array': return [sample(s.items || {}, depth + 1)];
      case 'integer': case 'number': return s.minimum || 1;
      case 'boolean': return true;
      default: return { 'date-time': '2026-11-21T18:00:00Z', date: '2026-11-21', uuid: '01938a6e-0000-7000-8000-000000000001', email: 'ana@example.com' }[s.format] || 'texto';
    }
  }

  const json = (value) => el('pre', '', JSON.stringify(value, null, 2));

  function table(heads, rows) {
    const head = el('tr', '', ...heads.map((h) => { const th = el('th', '', h); th.scope = 'col'; return th; }));
    const box = el('div', 'scroll', el('table', '', el('thead', '', head), el('tbody', '', ...rows)));
    box.tabIndex = 0;
    return box;
  }
  function row(name, required, type, text) {
    const th = el('th', '', el('code', '', name));
    th.scope = 'row';
    if (required) th.append(el('small', '', 'obligatorio'));
    return el('tr', '', th, el('td', '', el('code', '', type)), el('td', '', text || ''));
  }

  function schemaTable(schema, prefix = '', depth = 0) {
    let s = deref(schema);
    if (s.type === 'array') { prefix += '[].'; s = deref(s.items); }
    const [props, required] = properties(s);
    return props.flatMap(([name, prop]) => {
      const p = deref(prop);
      const here = row(prefix + name, required.includes(name), typeOf(prop), p.description);
      const inner = p.type === 'array' ? deref(p.items) : p;
      const deeper = depth < 3 && (inner.properties || inner.allOf)
        ? schemaTable(inner, prefix + name + (p.type === 'array' ? '[].' : '.'), depth + 1) : [];
      return [here, ...deeper];
    });
  }

  function content(holder) {
    const out = [];
    Object.entries(holder.content || {}).forEach(([kind, media]) => {
      out.push(el('p', 'small quiet', kind));
      if (!media.schema) return;
      const rows = schemaTable(media.schema);
      if (rows.length) out.push(table(['Campo', 'Tipo', 'Qué es'], rows));
      if (kind.includes('json')) {
        const given = media.example !== undefined ? media.example
          : media.examples ? deref(Object.values(media.examples)[0]).value : sample(media.schema);
        out.push(json(given));
      }
    });
    return out;
  }

  function operation(path, verb, op, shared) {
    const box = el('details', 'op');
    box.append(el('summary', '', el('span', 'verb ' + verb, verb.toUpperCase()), el('span', 'path', path), el('span', 'quiet small', op.summary || '')));
    box.dataset.text = [verb, path, op.summary, op.operationId].join(' ').toLowerCase();
    // Drawn when opened: a long document stays quick on a phone.
    box.addEventListener('toggle', () => {
      if (!box.open || box.querySelector('.inner')) return;
      const inner = el('div', 'inner');
      if (op.description) inner.append(el('p', '', op.description));
      const params = [...shared, ...(op.parameters || [])].map(deref);
      if (params.length) {
        inner.append(el('h4', '', 'Parámetros'), table(['Nombre', 'Tipo', 'Qué es'],
          params.map((p) => row(p.name + ' (' + p.in + ')', p.required, typeOf(p.schema || {}), p.description))));
      }
      if (op.requestBody) inner.append(el('h4', '', 'Se manda'), ...content(deref(op.requestBody)));
      Object.entries(op.responses || {}).forEach(([status, ref]) => {
        const res = deref(ref);
        inner.append(el('h4', '', status + ' ' + (res.description || '')), ...content(res));
      });
      box.append(inner);
    });
    return box;
  }

  function draw() {
    document.getElementById('api-title').textContent = (spec.info.title || 'API') + ' ' + (spec.info.version || '');
    const about = document.getElementById('api-about');
    if (spec.info.description) about.prepend(spec.info.description + ' ');
    const verbs = ['get', 'post', 'put', 'patch', 'delete'];
    const groups = new Map((spec.tags || []).map((t) => [t.name, { text: t.description, ops: [] }]));
    Object.entries(spec.paths || {}).forEach(([path, item]) => verbs.forEach((verb) => {
      if (!item[verb]) return;
      const tag = (item[verb].tags || ['general'])[0];
      if (!groups.has(tag)) groups.set(tag, { ops: [] });
      groups.get(tag).ops.push(operation(path, verb, item[verb], item.parameters || []));
    }));
    const toc = el('ul', 'toc');
    const parts = [];
    groups.forEach((group, tag) => {
      if (!group.ops.length) return;
      const link = el('a', '', tag);
      link.href = '#' + slug(tag);
      toc.append(el('li', '', link));
      const section = el('section', 'panel', el('h2', '', tag), group.text ? el('p', 'quiet', group.text) : '', ...group.ops);
      section.id = slug(tag);
      parts.push(section);
    });
    const stack = el('div', 'stack', ...parts);
    root.replaceChildren(toc, stack);
    find.hidden = false;
    find.addEventListener('input', () => {
      const want = find.value.trim().toLowerCase().split(/\s+/);
      parts.forEach((section) => {
        let any = false;
        section.querySelectorAll('.op').forEach((op) => {
          op.hidden = !want.every((w) => op.dataset.text.includes(w));
          any = any || !op.hidden;
        });
        section.hidden = !any;
      });
    });
    if (location.hash) { const at = document.getElementById(location.hash.slice(1)); if (at) at.scrollIntoView(); }
  }

  fetch(specURL).then((res) => res.json()).then((doc) => { spec = doc; draw(); }).catch(() => {
    root.replaceChildren(el('p', 'flash', 'No se pudo leer el documento OpenAPI. Recarga la página.'));
  });
})();
