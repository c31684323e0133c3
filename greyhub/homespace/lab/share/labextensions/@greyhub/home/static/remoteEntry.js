/* The state of the home in JupyterLab's status bar: saved, saving n, offline, quota.
 *
 * A container of federated modules, as JupyterLab loads its prebuilt extensions,
 * written by hand: there is nothing to build. */
(function () {
  'use strict';

  const NAME = '@greyhub/home';
  const QUICK = 2000; // milliseconds between two questions while something is not saved
  const SLOW = 5000;

  let shared;

  /** A package of JupyterLab's own, as it is loaded already. */
  async function use(name) {
    const [version] = Object.values(shared[name]);
    return (await version.get())();
  }

  const count = number => number.toLocaleString('en');

  /** What the status bar says. */
  function short(state) {
    switch (state.word) {
      case 'saved':
        return state.warning ? 'Home: saved, nearly full' : 'Home: saved';
      case 'saving':
        return `Home: saving ${count(state.unsaved)}`;
      case 'restoring':
        return `Home: coming, ${count(state.progress.done)} of ${count(state.progress.files)}`;
      case 'offline':
        return state.unsaved
          ? `Home: offline, ${count(state.unsaved)} not saved`
          : 'Home: offline';
      case 'quota':
        return `Home: quota used up, ${count(state.unsaved)} not saved`;
      default:
        return 'Home: not kept';
    }
  }

  /** What it says to who points at it. */
  function long(state) {
    if (state.error) {
      return state.error;
    }
    const lines = [`${state.home} is kept in ${state.store}`];
    if (state.trouble) {
      lines.push(`The store does not answer as it should: ${state.trouble}`);
    }
    if (state.warning) {
      lines.push(state.warning);
    }
    for (const path of state.paths.slice(0, 10)) {
      const reason = state.reasons[path];
      lines.push(reason ? `${path}: ${reason}` : path);
    }
    if (state.unsaved > 10) {
      lines.push(`and ${count(state.unsaved - 10)} more`);
    }
    return lines.join('\n');
  }

  async function plugin() {
    const [{ IStatusBar }, { Widget }, { ServerConnection }, { URLExt }, { Notification }] =
      await Promise.all(
        [
          '@jupyterlab/statusbar',
          '@lumino/widgets',
          '@jupyterlab/services',
          '@jupyterlab/coreutils',
          '@jupyterlab/apputils'
        ].map(use)
      );

    function activate(app, statusBar) {
      const settings = app.serviceManager.serverSettings;
      const url = URLExt.join(settings.baseUrl, 'greyhub', 'home');
      const item = new Widget();
      item.id = 'greyhub-home';
      item.addClass('jp-StatusBar-TextItem');
      item.node.setAttribute('role', 'status');

      function show(state) {
        if (state.word === 'quota' && item.node.dataset.word !== 'quota') {
          Notification.warning(
            "Your home's quota is used up. What does not fit is safe on this server's disk, but " +
              'not in the store. Delete what you do not need.',
            { autoClose: false }
          );
        }
        item.node.dataset.word = state.word;
        item.node.textContent = short(state);
        item.node.title = long(state);
        const bad = ['offline', 'quota', 'stopped'].includes(state.word) || state.warning;
        item.node.style.color = bad ? 'var(--jp-warn-color0)' : '';
        item.node.style.fontWeight = bad ? 'bold' : '';
      }

      let timer = 0;
      async function ask() {
        window.clearTimeout(timer);
        let pause = SLOW;
        if (!document.hidden) {
          try {
            const answer = await ServerConnection.makeRequest(url, {}, settings);
            if (answer.ok) {
              const state = await answer.json();
              show(state);
              pause = state.word === 'saved' ? SLOW : QUICK;
            }
          } catch (error) {
            item.node.textContent = 'Home: the server does not answer';
          }
        }
        window.clearTimeout(timer);
        timer = window.setTimeout(ask, pause);
      }

      app.serviceManager.contents.fileChanged.connect(() => {
        window.clearTimeout(timer);
        timer = window.setTimeout(ask, 300);
      });
      document.addEventListener('visibilitychange', ask);
      statusBar.registerStatusItem(`${NAME}:status`, { align: 'right', rank: 0, item });
      void ask();
    }

    return {
      id: `${NAME}:status`,
      description: 'Says in the status bar whether the home is saved.',
      autoStart: true,
      requires: [IStatusBar],
      activate
    };
  }

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB[NAME] = {
    init: scope => {
      shared = scope;
    },
    get: async module => {
      if (module !== './extension') {
        throw new Error(`${NAME} has no module ${module}`);
      }
      const found = { __esModule: true, default: await plugin() };
      return () => found;
    }
  };
})();
