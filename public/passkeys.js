// Passkeys: carries what the server asks to the device, and the device's answer back. It decides nothing: the server says
// where to go on, also where something was wrong.
const begin = { add: '/settings/security/passkeys/begin', enter: '/sign-in/passkey/begin' };
const finish = { add: '/settings/security/passkeys', enter: '/sign-in/passkey' };

const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

const go = (path) => {
  const here = new URL(path, location.href);
  // An address that differs in nothing but what is after # would not be loaded again.
  const same = here.pathname === location.pathname && here.search === location.search;
  location.assign(here);
  if (same) location.reload();
};

const post = async (path, body) => {
  const response = await fetch(path, { method: 'POST', body });
  // Signed out meanwhile: the page leads to where one signs in.
  if (response.redirected || !response.headers.get('content-type')?.includes('json')) {
    location.reload();
    return {};
  }
  const answer = await response.json();
  if (answer.go) go(answer.go);
  else if (!answer.ask) throw new Error(answer.detail);
  return answer;
};

const described = (list) => list?.map((key) => ({ ...key, id: bytes(key.id) }));

const create = async (ask) => {
  const publicKey = {
    ...ask,
    challenge: bytes(ask.challenge),
    user: { ...ask.user, id: bytes(ask.user.id) },
    excludeCredentials: described(ask.excludeCredentials),
  };
  const { id, rawId, type, response } = await navigator.credentials.create({ publicKey });
  const { attestationObject, clientDataJSON } = response;
  return { id, rawId: text(rawId), type, response: { attestationObject: text(attestationObject), clientDataJSON: text(clientDataJSON) } };
};

const get = async (ask) => {
  const publicKey = { ...ask, challenge: bytes(ask.challenge), allowCredentials: described(ask.allowCredentials) };
  const { id, rawId, type, response } = await navigator.credentials.get({ publicKey });
  const { authenticatorData, clientDataJSON, signature, userHandle } = response;
  return {
    id,
    rawId: text(rawId),
    type,
    response: {
      authenticatorData: text(authenticatorData),
      clientDataJSON: text(clientDataJSON),
      signature: text(signature),
      userHandle: userHandle && text(userHandle),
    },
  };
};

const run = async (form) => {
  const what = form.dataset.passkey;
  const told = form.querySelector('[data-passkey-told]');
  told.hidden = true;
  try {
    const { ask } = await post(begin[what], new URLSearchParams(new FormData(form)));
    if (ask) await post(finish[what], JSON.stringify(await (what === 'add' ? create(ask) : get(ask))));
  } catch (error) {
    const sentences = {
      NotAllowedError: 'Nothing was done: the browser gave no passkey, or you stopped it. Try again.',
      InvalidStateError: 'This device has a passkey of your account already.',
      SecurityError: `This browser gives no passkey to ${location.host}: open the address that Scrip is set up with.`,
    };
    told.textContent = sentences[error.name] ?? 'The passkey did not work. Try again, or sign in another way.';
    told.hidden = false;
  }
};

for (const form of document.querySelectorAll('form[data-passkey]')) {
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = form.querySelector('button');
    button.disabled = true;
    await run(form);
    button.disabled = false;
  });
}
for (const without of document.querySelectorAll('[data-passkey-without]')) {
  without.hidden = Boolean(window.PublicKeyCredential);
}
