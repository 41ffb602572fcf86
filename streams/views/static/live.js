// The overview follows its worker by server-sent events, and says so when it is cut off.
const live = document.getElementById("live");
const cutOff = document.getElementById("cut-off");
const AGAIN = 3000;
let told = new Date();
let source;

// Only what changed is put in: what is read aloud, chosen or scrolled stays as long as it is true.
function show(html) {
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  const before = [...live.children];
  const after = [...fresh.content.children];
  const focused = document.activeElement.id;
  if (before.length === after.length) {
    after.forEach((each, place) => {
      if (each.outerHTML !== before[place].outerHTML) swap(before[place], each);
    });
  } else {
    live.replaceChildren(...after);
  }
  if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus({ preventScroll: true });
  document.title = live.querySelector(".verdict").textContent.trim();
}

function swap(before, after) {
  const scrolled = [...before.querySelectorAll(".scroll")].map((each) => [each.id, each.scrollLeft]);
  before.replaceWith(after);
  for (const [id, left] of scrolled) document.getElementById(id).scrollLeft = left;
}

function listen() {
  source = new EventSource(live.dataset.from);
  source.onmessage = (event) => {
    show(event.data);
    told = new Date();
    cutOff.hidden = true;
  };
  source.onerror = () => {
    cutOff.querySelector("time").textContent = told.toLocaleTimeString();
    cutOff.hidden = false;
    // A worker that answers, but with an error, is not asked again by the browser itself.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN);
  };
}

listen();
addEventListener("pagehide", () => source.close());
