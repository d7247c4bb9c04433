(function () {
  var me = document.currentScript, base = me.src.replace(/\.js.*$/, ""), box = { items: [], unread: 0 };
  function url(path) { return base + path + "?token=" + encodeURIComponent(me.dataset.token || ""); }
  function make(tag, text, parent) {
    var el = document.createElement(tag);
    el.textContent = text;
    if (parent) parent.append(el);
    return el;
  }
  function one(item) {
    var el = make("article", ""), seen = function () { box.read(item.key); };
    el.setAttribute("role", "status");
    if (item.title) make("strong", item.title, el);
    if (item.html) make("div", "", el).innerHTML = item.html; else make("div", item.text || "", el);
    if (item.link) {
      var a = make("a", "\u2192", el);
      a.href = item.link;
      a.setAttribute("aria-label", item.title || item.link);
      a.onclick = seen;
    }
    var close = make("button", "\u00d7", el);
    close.setAttribute("aria-label", "Close");
    close.onclick = seen;
    return el;
  }
  function changed() {
    var news = box.items.filter(function (i) { return !i.read; });
    var at = me.dataset.show && document.querySelector(me.dataset.show);
    box.unread = news.length;
    if (at) at.replaceChildren.apply(at, news.map(one));
    if (box.onchange) box.onchange(box);
  }
  box.read = function (key) {
    box.items.forEach(function (i) { if (!key || i.key === key) i.read = true; });
    changed();
    return fetch(url("/read"), { method: "POST", body: JSON.stringify({ key: key }), keepalive: true });
  };
  window.FlowInbox = box;
  fetch(url("")).then(function (r) { return r.json(); }).then(function (all) {
    box.items = all.items;
    changed();
    new EventSource(url("/events")).addEventListener("message", function (e) {
      var item = JSON.parse(e.data);
      if (!box.items.some(function (i) { return i.key === item.key; })) { box.items.unshift(item); changed(); }
    });
  });
})();
