// The overview follows its worker by server-sent events, and says so when it is cut off.
const live = document.getElementById("live");
const cutOff = document.getElementById("cut-off");
let told = new Date();
const source = new EventSource(live.dataset.from);
source.onmessage = (event) => {
  const open = document.activeElement && live.contains(document.activeElement);
  if (!open) live.innerHTML = event.data;
  told = new Date();
  cutOff.hidden = true;
};
source.onerror = () => {
  cutOff.querySelector("time").textContent = told.toLocaleTimeString();
  cutOff.hidden = false;
};
addEventListener("pagehide", () => source.close());
