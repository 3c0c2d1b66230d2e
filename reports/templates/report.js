"use strict";
(() => {
  const all = (selector, within) => [...(within || document).querySelectorAll(selector)];
  const hidden = new Set(); // Methods that are switched off.

  // Methods: on and off, and one of them brought forward.
  const toggles = all("[data-toggle]");
  const names = toggles.map((box) => box.dataset.toggle);
  const listeners = [];
  function applyMethods() {
    hidden.clear();
    for (const box of toggles) if (!box.checked) hidden.add(box.dataset.toggle);
    for (const one of all(".series, .series-key, .breakdown tbody tr")) one.classList.toggle("off", hidden.has(one.dataset.method));
    for (const redraw of listeners) redraw();
  }
  for (const box of toggles) box.addEventListener("change", applyMethods);
  for (const button of all("[data-all]"))
    button.addEventListener("click", () => {
      for (const box of toggles) box.checked = Boolean(button.dataset.all);
      applyMethods();
    });
  const chosen = new Set(); // Methods that stay forward.
  let pointed = null;
  function applyLight() {
    const lit = (method) => method === pointed || chosen.has(method);
    document.body.classList.toggle("dimmed", pointed !== null || chosen.size > 0);
    for (const one of all(".series, .series-key, .results tbody tr, .breakdown tbody tr")) one.classList.toggle("lit", lit(one.dataset.method));
    for (const one of all(".series-key")) one.setAttribute("aria-pressed", String(chosen.has(one.dataset.method)));
  }
  function light(method) {
    pointed = method;
    applyLight();
  }
  for (const one of all(".series, .series-key, .results tbody tr, .breakdown tbody tr")) {
    one.addEventListener("mouseenter", () => light(one.dataset.method));
    one.addEventListener("mouseleave", () => light(null));
  }
  for (const one of all(".series-key")) {
    const { method } = one.dataset;
    one.addEventListener("click", () => {
      if (!chosen.delete(method)) chosen.add(method);
      applyLight();
    });
    // Of the keyboard; a click leaves the focus behind too, and is no pointing.
    one.addEventListener("focus", () => { if (one.matches(":focus-visible")) light(method); });
    one.addEventListener("blur", () => light(null));
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || (pointed === null && !chosen.size)) return;
    chosen.clear();
    light(null);
  });
  for (const box of toggles) {
    box.parentNode.addEventListener("mouseenter", () => light(box.dataset.toggle));
    box.parentNode.addEventListener("mouseleave", () => light(null));
  }

  // The table: sorting, filtering, columns.
  function enableTable(section) {
    const table = section.querySelector(".results");
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    for (const head of heads) {
      const button = head.querySelector("button");
      const column = heads.indexOf(head);
      button.addEventListener("click", () => {
        const before = head.getAttribute("aria-sort");
        // Best first at the first click.
        const first = head.dataset.better === "more" ? "descending" : "ascending";
        const next = before === "none" ? first : before === "ascending" ? "descending" : "ascending";
        for (const other of heads) other.setAttribute("aria-sort", "none");
        head.setAttribute("aria-sort", next);
        const sign = next === "ascending" ? 1 : -1;
        const value = (row) => (button.dataset.sort === "text" ? row.cells[column].textContent.trim().toLowerCase() : row.cells[column].dataset.key);
        const sorted = [...rows].sort((a, b) => {
          const x = value(a), y = value(b);
          // Where there is no value a row stays last, whichever the direction.
          if (x === "" || y === "") return (x === "") - (y === "");
          return sign * (button.dataset.sort === "text" ? x.localeCompare(y) : Number(x) - Number(y));
        });
        body.append(...sorted);
      });
    }
    const filter = section.querySelector("[data-filter]");
    const count = section.querySelector("[data-count]");
    filter.addEventListener("input", () => {
      const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const text = `${row.cells[0].textContent} ${row.cells[1].textContent} ${row.dataset.method} ${row.dataset.state}`.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        shown += !row.hidden;
      }
      count.textContent = words.length ? `${shown} of ${rows.length} methods` : "";
    });
    for (const box of all("[data-column]", section))
      box.addEventListener("change", () => {
        for (const cell of all("[data-metric]", table)) if (cell.dataset.metric === box.dataset.column) cell.hidden = !box.checked;
      });
    section.querySelector("[data-intervals]").addEventListener("change", (event) => table.classList.toggle("hide-intervals", !event.target.checked));
  }
  for (const section of all("section.data")) enableTable(section);

  // Pictures: marks are drawn over one and the same image.
  const MARGIN = 2;
  function mark(kind, [x0, y0, x1, y1]) {
    const w = x1 - x0 + 2 * MARGIN, h = y1 - y0 + 2 * MARGIN;
    if (kind === "miss") return `<ellipse class="miss" cx="${(x0 + x1) / 2}" cy="${(y0 + y1) / 2}" rx="${w * 0.75}" ry="${h * 0.75}"/>`;
    return `<rect class="${kind}" x="${x0 - MARGIN}" y="${y0 - MARGIN}" width="${w}" height="${h}"/>`;
  }
  function marks(image, methods) {
    let text = "";
    const seen = new Set();
    const add = (kind, box) => {
      const one = mark(kind, box);
      if (!seen.has(one)) { seen.add(one); text += one; }
    };
    const kind = methods.length > 1 ? "false faint" : "false";
    for (const method of methods) for (const box of image.m[method].f) add(kind, box);
    image.t.forEach((box, target) => {
      if (methods.some((method) => !image.m[method].h.some((hit) => hit[0] === target))) add("miss", box);
    });
    // Of several methods one box stands for all hits, or they would hide each other.
    for (const method of methods) for (const hit of image.m[method].h) add("hit", methods.length > 1 ? image.t[hit[0]] : hit.slice(1));
    return text;
  }
  function picture(image, content, view, source) {
    const [x, y, w, h] = view || [0, 0, image.w, image.h];
    const shown = source || image.src;
    const href = shown ? `<image href="data:image/jpeg;base64,${shown}" width="${image.w}" height="${image.h}" preserveAspectRatio="none"/>` : "";
    return `<svg class="picture" viewBox="${x} ${y} ${w} ${h}" style="aspect-ratio:${w}/${h}">${href}${content}</svg>`;
  }
  const missed = (image, method) => image.t.length - new Set(image.m[method].h.map((hit) => hit[0])).size;
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const element = (tag, text, css) => {
    const one = document.createElement(tag);
    if (text) one.textContent = text;
    if (css) one.className = css;
    return one;
  };

  const dialog = document.getElementById("enlarged");
  let opened = null; // { images, place, methods, zoom }
  function zoomed(image, target) {
    if (target === null) return null;
    const [x0, y0, x1, y1] = image.t[target];
    const side = Math.min(Math.max(40, 3 * (x1 - x0), 3 * (y1 - y0)), image.w, image.h);
    const at = (low, high, size) => Math.min(Math.max((low + high - side) / 2, 0), size - side);
    return [at(x0, x1, image.w), at(y0, y1, image.h), side, side];
  }
  function showEnlarged() {
    const { images, place, methods } = opened;
    const image = images[place];
    const view = zoomed(image, opened.zoom);
    document.getElementById("enlarged-title").textContent = `${image.id} (${place + 1} of ${images.length})`;
    const zooms = dialog.querySelector(".zooms");
    zooms.replaceChildren();
    [null, ...image.t.keys()].forEach((target) => {
      const button = element("button", target === null ? "Whole image" : `Target ${target + 1}`);
      button.type = "button";
      button.setAttribute("aria-pressed", String(opened.zoom === target));
      button.addEventListener("click", () => { opened.zoom = target; showEnlarged(); });
      zooms.append(button, " ");
    });
    const panels = dialog.querySelector(".panels");
    panels.replaceChildren();
    const panel = (title, text, content, shown, source) => {
      const figure = element("figure");
      figure.innerHTML = picture(image, content, shown, source);
      const caption = element("figcaption");
      caption.append(element("b", title), text);
      figure.append(caption);
      panels.append(figure);
    };
    const frame = view ? `<rect class="false" x="${view[0]}" y="${view[1]}" width="${view[2]}" height="${view[3]}" style="stroke:#fff"/>` : "";
    const targets = image.t.map((box) => mark("target", box)).join("");
    panel("Targets", image.t.length ? String(image.t.length) : "none in this image", targets + frame, null);
    for (const { i, title } of methods) {
      const { f, n } = image.m[i];
      const text = `${image.t.length - missed(image, i)} of ${image.t.length} hit, ${n} false${n > f.length ? ` (${f.length} drawn)` : ""}`;
      panel(title, text, marks(image, [i]), view);
      const map = image.p && image.p[i];
      if (map) panel(title, "score map", targets, view, map);
    }
  }
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  function step(by) {
    opened.place = (opened.place + by + opened.images.length) % opened.images.length;
    opened.zoom = null;
    showEnlarged();
  }
  for (const button of all("[data-step]")) button.addEventListener("click", () => step(Number(button.dataset.step)));
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowRight") step(1);
    if (event.key === "ArrowLeft") step(-1);
  });

  const PAGE = 24;
  function enableGallery(section) {
    const source = section.querySelector(".gallery-data");
    if (!source) return;
    const data = JSON.parse(source.textContent);
    const gallery = section.querySelector("[data-gallery]");
    const more = section.querySelector("[data-more]");
    const order = section.querySelector("[data-order]");
    const drawn = section.querySelector("[data-drawn]");
    const find = section.querySelector("[data-find]");
    let shown = PAGE;
    function draw() {
      const switchedOn = data.methods.filter(({ i }) => !hidden.has(names[i]));
      const chosen = drawn.value === "" ? switchedOn : data.methods.filter(({ i }) => String(i) === drawn.value);
      const methods = chosen.map(({ i }) => i);
      const rank = {
        d: (image) => -image.d,
        missed: (image) => -sum(methods.map((i) => missed(image, i))),
        false: (image) => -sum(methods.map((i) => image.m[i].n)),
        id: null,
      }[order.value];
      const text = find.value.toLowerCase();
      const images = data.images
        .filter((image) => image.id.toLowerCase().includes(text))
        .sort((a, b) => (rank ? rank(a) - rank(b) : 0) || a.id.localeCompare(b.id, undefined, { numeric: true }));
      gallery.replaceChildren();
      images.slice(0, shown).forEach((image, place) => {
        const card = element("button", "", "card");
        card.type = "button";
        card.innerHTML = picture(image, marks(image, methods), null);
        const label = element("span");
        const hits = sum(methods.map((i) => image.t.length - missed(image, i)));
        const alarms = sum(methods.map((i) => image.m[i].n));
        const whole = image.t.length * methods.length;
        label.append(element("b", image.id), whole ? `${hits} of ${whole} hit, ` : "no targets, ", `${alarms} false`);
        card.append(label);
        card.addEventListener("click", () => {
          opened = { images, place, methods: switchedOn, zoom: null };
          showEnlarged();
          dialog.showModal();
          dialog.scrollTop = 0;
        });
        gallery.append(card);
      });
      more.hidden = images.length <= shown;
      more.textContent = `Show more (${images.length - shown} left)`;
    }
    for (const control of [order, drawn, find])
      control.addEventListener("input", () => { shown = PAGE; draw(); });
    more.addEventListener("click", () => { shown += PAGE; draw(); });
    listeners.push(draw);
    draw();
  }
  for (const section of all("section.data")) enableGallery(section);

  // On paper nothing can be opened.
  let unfolded = [];
  addEventListener("beforeprint", () => {
    unfolded = all("section.data details:not([open]):not(.columns)");
    for (const one of unfolded) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of unfolded) one.open = false; });
})();
