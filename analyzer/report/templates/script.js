"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const table = document.getElementById("table");
  const body = table.tBodies[0];
  const words = document.getElementById("words");
  const ending = document.getElementById("ending");
  const probing = document.getElementById("probing");
  const more = document.getElementById("more");
  const shown = document.getElementById("shown");
  const names = ["capture", "flow", "client", "server", "guessed", "verdict", "probes", "answered", "afterFin", "window",
    "findings", "headline", "told", "firstFrame"];
  const at = Object.fromEntries(names.map((name, index) => [name, index]));
  const rows = data.rows;
  const collator = new Intl.Collator("en", { numeric: true });
  const number = new Intl.NumberFormat("en");
  const texts = rows.map((row) => row.slice(1, 12).join(" ").toLowerCase());
  let order = rows.map((_, index) => index);
  let picked = order;
  let limit = data.slice;

  const element = (tag, text, style) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (style) made.className = style;
    return made;
  };
  const named = (row) => (data.several ? `${row[at.capture]}:${row[at.flow]}` : String(row[at.flow]));

  const handle = (row) => {
    if (row[at.told]) {
      const link = element("a", named(row));
      link.href = `#flow-${row[at.capture]}-${row[at.flow]}`;
      return link;
    }
    const button = element("button", named(row));
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", () => toggle(button, row));
    return button;
  };

  const toggle = (button, row) => {
    const line = button.closest("tr");
    const open = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!open));
    if (open) {
      line.nextElementSibling.remove();
      return;
    }
    const extra = element("tr", undefined, "more");
    const cell = element("td");
    cell.colSpan = 9;
    if (row[at.headline]) cell.append(element("p", row[at.headline]));
    cell.append(copyable("Its story", `keepalive explain FILE --flow ${row[at.flow]}`));
    for (const [label, text] of filters(row)) cell.append(copyable(label, text));
    extra.append(cell);
    line.after(extra);
  };

  // As report/filters.py makes them, without what the table does not know: VLANs, and the last frame.
  const filters = (row) => {
    const ends = [row[at.client], row[at.server]].map((end) => {
      const colon = end.lastIndexOf(":");
      return { address: end.slice(0, colon).replace(/[[\]]/g, ""), port: end.slice(colon + 1) };
    });
    const ip = ends[0].address.includes(":") ? "ipv6" : "ip";
    const both = (one, other, either, source, destination) => (one === other
      ? [`${source} ${one}`, `${destination} ${one}`] : [`${either} ${one}`, `${either} ${other}`]);
    const addresses = ends.map((end) => end.address);
    const ports = ends.map((end) => end.port);
    return [
      ["Wireshark, this flow", [
        ...both(...addresses, `${ip}.addr ==`, `${ip}.src ==`, `${ip}.dst ==`),
        ...both(...ports, "tcp.port ==", "tcp.srcport ==", "tcp.dstport =="),
        `frame.number >= ${row[at.firstFrame]}`,
      ].join(" && ")],
      ["tcpdump, this flow (no VLAN)", [
        "tcp",
        ...both(...addresses, "host", "src host", "dst host"),
        ...both(...ports, "port", "src port", "dst port"),
      ].join(" and ")],
    ];
  };

  const copyable = (label, text) => {
    const box = element("div", undefined, "copy");
    const button = element("button", "Copy", "tool");
    button.type = "button";
    button.dataset.copy = "";
    box.append(element("span", label, "label"), element("code", text), button);
    return box;
  };

  const rendered = (row) => {
    const line = element("tr");
    const first = element("td", undefined, "number");
    first.append(handle(row));
    const verdict = element("td");
    verdict.append(element("span", row[at.verdict], `verdict ${data.styles[row[at.verdict]]}`));
    line.append(first, verdict, element("td", row[at.client]), element("td", row[at.server] + (row[at.guessed] ? " ?" : "")));
    for (const key of ["probes", "answered", "afterFin", "window"]) {
      line.append(element("td", row[at[key]] ? number.format(row[at[key]]) : "", "number"));
    }
    const codes = element("td", undefined, "codes");
    for (const code of row[at.findings].split(" ").filter(Boolean)) codes.append(element("span", code));
    line.append(codes);
    return line;
  };

  const fill = (from) => {
    const slice = document.createDocumentFragment();
    for (const index of picked.slice(from, limit)) slice.append(rendered(rows[index]));
    if (from === 0) body.replaceChildren(slice);
    else body.append(slice);
    const count = Math.min(limit, picked.length);
    const of = picked.length === rows.length ? "" : ` (${number.format(rows.length)} in all)`;
    shown.textContent = `${number.format(count)} of ${number.format(picked.length)} flows shown${of}`;
    more.parentElement.hidden = count === picked.length;
    more.textContent = `Show ${number.format(Math.min(data.slice, picked.length - count))} more`;
  };

  const filter = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    picked = order.filter((index) => (!ending.value || rows[index][at.verdict] === ending.value)
      && (!probing.checked || rows[index][at.probes] > 0)
      && wanted.every((word) => texts[index].includes(word)));
    limit = data.slice;
    fill(0);
  };

  const sort = (button) => {
    const head = button.closest("th");
    const down = head.getAttribute("aria-sort") === "ascending"
      || (head.getAttribute("aria-sort") === "none" && head.classList.contains("number") && button.dataset.key !== "flow");
    for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const column = at[button.dataset.key];
    const sign = down ? -1 : 1;
    const compared = typeof (rows[0] || [])[column] === "number"
      ? (one, other) => rows[one][column] - rows[other][column]
      : (one, other) => collator.compare(rows[one][column], rows[other][column]);
    order = rows.map((_, index) => index);
    order.sort((one, other) => sign * compared(one, other)
      || (column === at.flow ? sign * (rows[one][at.capture] - rows[other][at.capture]) : 0) || one - other);
    filter();
  };

  const openTarget = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") {
      target.open = true;
      target.scrollIntoView();
      target.querySelector("summary").focus({ preventScroll: true });
    }
  };

  const copy = (button) => {
    const range = document.createRange();
    range.selectNodeContents(button.parentElement.querySelector("code"));
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    let done = false;
    try {
      done = document.execCommand("copy");
    } catch {
      done = false;
    }
    button.textContent = done ? "Copied" : "Selected";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  };

  // A picture of a flow zooms into time: what is in an axes is stretched, marks and words keep their shape. Written here,
  // because a chart library would draw the picture a second time, and a library that pans and zooms an SVG stretches
  // marks and letters with it.
  const zoomable = (box) => {
    const svg = box.querySelector("svg");
    const told = JSON.parse(box.dataset.zoom);
    const make = (tag, attributes) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
      return made;
    };
    const height = svg.viewBox.baseVal.height;
    const columns = new Map();
    for (const [number, left, right, top, bottom, from, to] of told.axes) {
      const group = document.getElementById(`${told.prefix}axes_${number}`);
      if (!group) continue;
      const key = `${left} ${right}`;
      if (!columns.has(key)) columns.set(key, { left, right, top, bottom, from, to, scale: 1, shift: 0, inner: [] });
      const column = columns.get(key);
      column.bottom = Math.max(column.bottom, bottom);
      const clip = make("clipPath", { id: `${told.prefix}zoom-${number}` });
      clip.append(make("rect", { x: left, y: 0, width: right - left, height }));
      const outer = make("g", {});
      const inner = make("g", {});
      let axes = 0;
      for (const child of [...group.children]) {
        if (child.id.includes("matplotlib.axis_")) axes += 1;
        const size = child.getBBox();
        const spine = size.width < 1 && Math.abs(size.x - left) < 1;
        if (!spine && !(child.id.includes("matplotlib.axis_") && axes === 2)) inner.append(child);
      }
      outer.append(inner);
      group.append(clip, outer);
      const marks = [...inner.querySelectorAll("use")].map((mark) => [mark, Number(mark.getAttribute("x"))]);
      column.inner.push([outer, inner, clip.id, marks]);
    }
    const pointer = make("line", { class: "pointer", y1: 0, y2: height, visibility: "hidden" });
    svg.append(pointer);
    const draw = (column) => {
      const most = (column.right - column.left) * (column.scale - 1);
      column.shift = Math.min(0, Math.max(-most, column.shift));
      for (const [outer, inner, clip, marks] of column.inner) {
        const still = column.left * (1 - column.scale) + column.shift;
        inner.setAttribute("transform", `matrix(${column.scale} 0 0 1 ${still} 0)`);
        inner.style.setProperty("--narrow", 1 / column.scale);
        inner.classList.toggle("stretched", column.scale > 1);
        for (const [mark, x] of marks) {
          mark.setAttribute("transform", `translate(${x * (1 - 1 / column.scale)} 0) scale(${1 / column.scale} 1)`);
        }
        if (column.scale > 1) outer.setAttribute("clip-path", `url(#${clip})`);
        else outer.removeAttribute("clip-path");
      }
    };
    const zoom = (column, factor, x) => {
      const before = column.scale;
      column.scale = Math.min(2000, Math.max(1, before * factor));
      column.shift = (column.shift - (x - column.left)) * (column.scale / before) + (x - column.left);
      draw(column);
    };
    const place = (event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const under = (x) => [...columns.values()].find((column) => x >= column.left && x <= column.right);
    const first = () => [...columns.values()][0];
    const said = element("output");
    const clock = (s) => new Date(told.start + s * 1000).toISOString().replace("T", " ").replace("Z", " UTC");
    const point = (event) => {
      const { x } = place(event);
      const column = under(x);
      pointer.setAttribute("visibility", column ? "visible" : "hidden");
      if (!column) return;
      pointer.setAttribute("x1", x);
      pointer.setAttribute("x2", x);
      const unit = (column.to - column.from) / (column.right - column.left) / column.scale;
      const time = column.from + (x - column.left - column.shift) * unit;
      let nearest = null;
      for (const frame of told.frames) {
        if (!nearest || Math.abs(frame[0] - time) < Math.abs(nearest[0] - time)) nearest = frame;
      }
      const near = nearest && Math.abs(nearest[0] - time) < 8 * unit ? nearest : null;
      const at = near ? near[0] : time;
      const sign = at < 0 ? "" : "+";
      said.textContent = `${sign}${at.toFixed(3)} s, ${clock(at)}${near ? `, frame ${near[1]}, ${near[2]}` : ""}`;
    };
    const middle = (column) => (column.left + column.right) / 2;
    const all = (factor) => { for (const column of columns.values()) zoom(column, factor, middle(column)); };
    const reset = () => {
      for (const column of columns.values()) {
        column.scale = 1;
        column.shift = 0;
        draw(column);
      }
    };
    box.tabIndex = 0;
    box.addEventListener("wheel", (event) => {
      const { x } = place(event);
      const column = under(x);
      if (!event.ctrlKey || !column) return;
      event.preventDefault();
      zoom(column, event.deltaY < 0 ? 1.25 : 0.8, x);
    }, { passive: false });
    let held = null;
    box.addEventListener("pointerdown", (event) => {
      const { x } = place(event);
      held = under(x) ? { column: under(x), x, shift: under(x).shift } : null;
      if (held && held.column.scale > 1) box.setPointerCapture(event.pointerId);
    });
    box.addEventListener("pointermove", (event) => {
      point(event);
      if (!held || !(event.buttons & 1)) return;
      held.column.shift = held.shift + place(event).x - held.x;
      draw(held.column);
    });
    box.addEventListener("pointerup", () => { held = null; });
    box.addEventListener("pointerleave", () => { pointer.setAttribute("visibility", "hidden"); });
    box.addEventListener("dblclick", reset);
    box.addEventListener("keydown", (event) => {
      const column = first();
      const step = (column.right - column.left) / 8;
      const keys = {
        "+": () => all(1.5), "=": () => all(1.5), "-": () => all(1 / 1.5), 0: reset,
        ArrowLeft: () => { column.shift += step; draw(column); },
        ArrowRight: () => { column.shift -= step; draw(column); },
      };
      if (!keys[event.key] || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      keys[event.key]();
    });
    const bar = element("div", undefined, "zoom");
    for (const [words, what] of [["Zoom in", () => all(1.5)], ["Zoom out", () => all(1 / 1.5)], ["Whole flow", reset]]) {
      const button = element("button", words, "tool");
      button.type = "button";
      button.addEventListener("click", what);
      bar.append(button);
    }
    bar.append(said);
    box.after(bar);
  };
  const ready = (root) => {
    for (const box of root.querySelectorAll(".picture[data-zoom]")) {
      if (!box.nextElementSibling && box.getClientRects().length) zoomable(box);
    }
  };
  for (const details of document.querySelectorAll("details")) details.addEventListener("toggle", () => ready(details));
  ready(document);

  for (const verdict of [...new Set(rows.map((row) => row[at.verdict]))].sort()) ending.append(element("option", verdict));
  for (const button of table.tHead.querySelectorAll("button")) button.addEventListener("click", () => sort(button));
  words.addEventListener("input", filter);
  ending.addEventListener("change", filter);
  probing.addEventListener("change", filter);
  words.form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => {
    const from = limit;
    limit += data.slice;
    fill(from);
  });
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    if (event.target.matches("[data-copy]")) copy(event.target);
    const link = event.target.closest('a[href^="#flow-"]');
    if (link && link.getAttribute("href") === location.hash) openTarget();
  });
  addEventListener("hashchange", openTarget);
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
  });
  words.form.hidden = false;
  fill(0);
  openTarget();
})();
