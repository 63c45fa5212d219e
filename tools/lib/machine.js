'use strict';

// The programs that make a virtual machine, and what they are started with.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const { command } = require('./debian');
const { StepError, run } = require('./run');

/** File systems that a machine's disk can have, and the packages of their mkfs; tmpfs takes no disk. */
const FILE_SYSTEMS = { ext4: 'e2fsprogs', xfs: 'xfsprogs', btrfs: 'btrfs-progs', tmpfs: null };

const MEMORY = '2G';

const KERNEL_PARAMETERS =
  'console=ttyS0 panic=-1 oops=panic loglevel=5 mitigations=off no_timer_check audit=0 apparmor=0';

/** Shares files with a machine. Where it lies, and the package that brings it, differ by release. */
const SHARERS = ['/usr/lib/qemu/virtiofsd', '/usr/libexec/virtiofsd'];
const sharer = () => SHARERS.find((file) => fs.existsSync(file));

/**
 * What a machine with such a disk takes.
 *
 * @param {string} fileSystem
 * @returns {import('./debian').Need[]}
 */
function machineNeeds(fileSystem) {
  const hasPackage = run('apt-cache', ['show', 'virtiofsd']).ok;
  const mkfs = FILE_SYSTEMS[fileSystem];
  return [
    command('qemu-system-x86_64', 'qemu-system-x86'),
    {
      what: 'virtiofsd',
      package: hasPackage ? 'virtiofsd' : 'qemu-system-common',
      present: () => sharer() !== undefined,
    },
    ...(mkfs === null ? [] : [command(`mkfs.${fileSystem}`, mkfs)]),
  ];
}

/** What to try, the best first. An answering /dev/kvm alone does not show that it runs any kernel. */
function accelerators() {
  const byProcessor = ['kvm_intel', 'kvm_amd'].some((name) => fs.existsSync(`/sys/module/${name}`));
  try {
    fs.accessSync('/dev/kvm', fs.constants.R_OK | fs.constants.W_OK);
    return byProcessor ? ['kvm', 'tcg'] : ['tcg'];
  } catch {
    return ['tcg'];
  }
}

/**
 * The command that shares all files of this machine. That takes root: it reads them as whoever asks.
 *
 * @param {string} socket where a machine reaches it
 * @returns {string[]}
 */
function shareCommand(socket) {
  // Not the sandbox of a namespace, which can't have / as its root.
  const share = [sharer(), `--socket-path=${socket}`, '-o', 'source=/,cache=auto,sandbox=chroot'];
  // Where it says by itself which folders are mounts, nothing could be laid over those in the guest.
  const told = '--no-announce-submounts';
  if (run(sharer(), ['--help']).output.includes(told)) share.push(told);
  if (process.getuid() === 0) return share;
  if (spawnSync('sudo', ['-n', 'true']).status !== 0) {
    const output = 'Sharing files with a virtual machine takes root, or sudo without a password.';
    throw new StepError('starting a virtual machine', output, 'sudo -v && npm run test:kernels');
  }
  const group = run('id', ['-gn', os.userInfo().username]).output;
  return ['sudo', '-n', ...share, `--socket-group=${group}`];
}

/**
 * The command that is a machine.
 *
 * @param {object} parts
 * @param {string} parts.accelerator one of accelerators()
 * @param {string} parts.kernel a file, as are the next
 * @param {string} parts.initrd
 * @param {string | null} parts.disk
 * @param {string} parts.console what the kernel prints
 * @param {string} parts.share the socket of shareCommand()
 * @param {Record<string, string>} parts.lines the sockets of lines to the guest, by the guest's name
 * @returns {string[]}
 */
function machineCommand({ accelerator, kernel, initrd, disk, console, share, lines }) {
  return [
    ['qemu-system-x86_64', '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ['-smp', '2', '-m', MEMORY],
    ['-object', `memory-backend-memfd,id=memory,size=${MEMORY},share=on`],
    ['-machine', 'pc,memory-backend=memory,usb=off'],
    // Programs use the vectors of newer processors, whose emulation takes longer than they gain.
    accelerator === 'kvm'
      ? ['-accel', 'kvm', '-cpu', 'host']
      : ['-accel', 'tcg,thread=multi', '-cpu', 'Westmere,+rdrand'],
    ['-kernel', kernel, '-initrd', initrd, '-append', KERNEL_PARAMETERS],
    ['-chardev', `file,id=console,path=${console}`, '-serial', 'chardev:console'],
    ['-chardev', `socket,id=share,path=${share}`],
    ['-device', 'vhost-user-fs-pci,chardev=share,tag=shared'],
    ['-device', 'virtio-serial-pci'],
    ...Object.entries(lines).flatMap(([name, socket]) => [
      ['-chardev', `socket,id=${name},path=${socket}`],
      ['-device', `virtserialport,chardev=${name},name=${name}`],
    ]),
    ...(disk === null ? [] : diskArguments(disk)),
  ].flat();
}

/** Its data need not outlive the machine. */
function diskArguments(file) {
  return [
    ['-drive', `if=none,id=disk,file=${file},format=raw,cache=unsafe`],
    ['-device', 'virtio-blk-pci,drive=disk'],
  ];
}

module.exports = { FILE_SYSTEMS, accelerators, machineCommand, machineNeeds, shareCommand };
