'use strict';

// Debian's archive through apt, for what is unpacked and never installed. apt gets lists of its own: what
// the apt of this machine knows and would install stays as it is, and nobody has to be root.

const fs = require('node:fs');
const path = require('node:path');
const { StepError, run } = require('./run');

/** Where this machine's apt gets Debian from, for suites of security updates or for others. */
function addressOf(suite) {
  const { output } = run('apt-get', ['update', '--print-uris']);
  const lists = [...output.matchAll(/^'(.*)\/dists\/([^/]+)(?:\/updates)?\/InRelease'/gm)];
  const isSecurity = (name) => name.endsWith('-security');
  return lists.find(([, , name]) => isSecurity(name) === isSecurity(suite))?.[1];
}

/** One suite of the archive, for one architecture or for sources. */
class Archive {
  #folder;
  #suite;
  #architecture;
  #again;

  /**
   * @param {object} options
   * @param {string} options.cache folder in which apt keeps its lists
   * @param {string} options.suite such as 'bookworm'
   * @param {string | null} [options.architecture] Debian's name of it, or 'source'. Default: this machine's
   * @param {(step: string) => string} options.again the command to type once the step can work
   */
  constructor({ cache, suite, architecture = null, again }) {
    this.#folder = path.join(
      cache,
      'apt',
      architecture === null ? suite : `${suite}-${architecture}`,
    );
    this.#suite = suite;
    this.#architecture = architecture;
    this.#again = again;
  }

  /** Gets the suite's lists; gives what went wrong, if anything did. */
  update() {
    const address = addressOf(this.#suite);
    if (address === undefined) return `apt has no source of Debian for ${this.#suite}`;
    const folder = this.#folder;
    fs.mkdirSync(path.join(folder, 'lists', 'partial'), { recursive: true });
    fs.mkdirSync(path.join(folder, 'cache', 'archives', 'partial'), { recursive: true });
    const type = this.#architecture === 'source' ? 'deb-src' : 'deb';
    const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';
    const signed = fs.existsSync(keys) ? `[signed-by=${keys}] ` : '';
    const line = `${type} ${signed}${address} ${this.#suite} main\n`;
    fs.writeFileSync(path.join(folder, 'sources.list'), line);
    const { ok, output } = run('apt-get', [...this.#options(), 'update']);
    return ok ? null : output;
  }

  /** What apt-cache says, or why it says nothing. */
  ask(...args) {
    return run('apt-cache', [...this.#options(), ...args]);
  }

  /** Downloads packages and unpacks them all into `target`. */
  unpack(packages, target, step) {
    const downloads = `${target}.packages`;
    fs.mkdirSync(downloads, { recursive: true });
    fs.mkdirSync(target, { recursive: true });
    this.#must(step, 'apt-get', [...this.#options(), 'download', ...packages], downloads);
    for (const file of fs.readdirSync(downloads)) {
      this.#must(step, 'dpkg-deb', ['-x', file, target], downloads);
    }
    fs.rmSync(downloads, { recursive: true });
  }

  /**
   * Downloads the source of a package, with Debian's patches, into `target`.
   *
   * @returns {string} the folder of it
   */
  unpackSource(name, target, step) {
    fs.mkdirSync(target, { recursive: true });
    this.#must(step, 'apt-get', [...this.#options(), '-q', 'source', name], target);
    const folders = fs.readdirSync(target, { withFileTypes: true }).filter((e) => e.isDirectory());
    return path.join(target, folders[0].name);
  }

  /** The options by which apt knows of this suite alone. */
  #options() {
    const folder = this.#folder;
    const options = {
      'Dir::Etc::sourcelist': path.join(folder, 'sources.list'),
      'Dir::Etc::sourceparts': '/dev/null',
      'Dir::Etc::preferencesparts': '/dev/null',
      // Else it takes what is installed for what can be had.
      'Dir::State::status': '/dev/null',
      'Dir::State::Lists': path.join(folder, 'lists'),
      'Dir::Cache': path.join(folder, 'cache'),
      'Dir::Cache::pkgcache': '',
      'Dir::Cache::srcpkgcache': '',
      // It may not be able to write into the clone.
      'APT::Sandbox::User': '',
      'Acquire::Languages': 'none',
      'Acquire::Retries': '2',
    };
    if (this.#architecture !== null && this.#architecture !== 'source') {
      options['APT::Architecture'] = this.#architecture;
      options['APT::Architectures'] = this.#architecture;
    }
    return Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  }

  #must(step, name, args, cwd) {
    const { ok, output } = run(name, args, { cwd });
    if (!ok)
      throw new StepError(step, `${[name, ...args].join(' ')}\n${output}`, this.#again(step));
  }
}

/**
 * A folder that `make` fills, if it is not there: it is there when it is complete.
 *
 * @param {string} folder
 * @param {(made: string) => void} make
 * @returns {string} the folder
 */
function makeOnce(folder, make) {
  if (fs.existsSync(folder)) return folder;
  fs.mkdirSync(path.dirname(folder), { recursive: true });
  const made = fs.mkdtempSync(`${folder}.new-`);
  try {
    make(made);
    fs.renameSync(made, folder);
  } catch (error) {
    fs.rmSync(made, { recursive: true, force: true });
    throw error;
  }
  return folder;
}

module.exports = { Archive, makeOnce };
