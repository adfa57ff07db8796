// Registers passkeys, and signs in with them: passkeys.register("Ada"), passkeys.signIn().
window.passkeys = (() => {
  const root = document.currentScript.src.replace(/\/[^/]*$/, "");
  async function call(path, value) {
    const response = await fetch(root + path, {
      method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify(value),
    });
    if (!response.ok) throw new Error((await response.json()).detail);
    return response.json();
  }
  return {
    call,
    async register(name) {
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(await call("/register", {name}));
      return call("/register", (await navigator.credentials.create({publicKey})).toJSON());
    },
    async signIn(options) {
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await call("/sign-in", {}));
      return call("/sign-in", (await navigator.credentials.get({...options, publicKey})).toJSON());
    },
  };
})();
