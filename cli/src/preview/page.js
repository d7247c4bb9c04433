'use strict';
// Frames are as tall as what stands in them.
const fit = frame => {
  const page = frame.contentDocument;
  if (!page || !page.documentElement) return;
  frame.height = 80; // else a short message is as tall as its frame was
  frame.height = Math.min(3000, Math.max(80, page.documentElement.scrollHeight + 2));
};
for (const frame of document.querySelectorAll('iframe')) {
  frame.addEventListener('load', () => fit(frame));
  fit(frame);
}
const show = which => {
  document.body.dataset.show = which;
  for (const button of document.querySelectorAll('[data-show]')) {
    if (button.tagName === 'BUTTON') button.setAttribute('aria-pressed', String(button.dataset.show === which));
  }
  sessionStorage.setItem('show', which);
  document.querySelectorAll('iframe').forEach(fit);
};
for (const button of document.querySelectorAll('button[data-show]')) {
  button.addEventListener('click', () => show(button.dataset.show));
}
show(sessionStorage.getItem('show') || 'both');
// The page follows the files: scrolling stays where it is when it is loaded anew.
const scrolled = sessionStorage.getItem('scrolled');
if (scrolled) requestAnimationFrame(() => scrollTo(0, Number(scrolled)));
setInterval(async () => {
  try {
    const version = await (await fetch('/version')).text();
    if (version !== document.documentElement.dataset.version) {
      sessionStorage.setItem('scrolled', String(scrollY));
      location.reload();
    }
  } catch { /* flowc was ended; it may come back */ }
}, 500);
