//! Limits, and the account of what was used.

use crate::host::{Attempt, Found, isolation, mark, marked, run, text, until};
use aar_sandbox::{Exit, Outcome};
use std::fs;
use std::time::Duration;

pub const ALL: &[(&str, Attempt)] = &[
    ("CPU time is limited, and told as such", |host, backend| {
        let mut jail = host.jail("while :; do :; done");
        jail.limits.cpu = Duration::from_secs(1);
        (run(&jail, backend).status == Exit::CpuExceeded).into()
    }),
    ("CPU time and memory are measured", |host, backend| {
        let script = "import os, time\nif os.fork():\n  os.wait()\nelse:\n  x = bytearray(200 << 20)\n  \
                      while time.process_time() < 0.5: pass\n  os._exit(0)";
        let told = |outcome: Outcome| {
            outcome.cpu >= Duration::from_millis(500)
                && outcome.cpu < Duration::from_secs(30)
                && (200 << 20..600 << 20).contains(&outcome.max_rss_bytes)
        };
        host.python_outcome(backend, script, |_| ()).map_or(Found::Untried, |outcome| told(outcome).into())
    }),
    ("memory is limited", |host, backend| {
        let limited = |outcome: &Outcome| {
            let seen = text(&outcome.stdout);
            seen.contains("SMALL") && seen.contains("MemoryError") && !seen.contains("GOT")
        };
        let script = "x = bytearray(100 << 20)\nprint('SMALL')\nx = bytearray(1200 << 20)\nprint('GOT')";
        let outcome = host.python_outcome(backend, script, |jail| jail.limits.memory_bytes = 1 << 30);
        outcome.map_or(Found::Untried, |outcome| limited(&outcome).into())
    }),
    ("memory of the whole tree is limited", |host, backend| {
        // Four children hold 200 MiB each, or die of it: whoever comes too much, or one that was there. None is beyond the limit of one process.
        let script = "import os\nkept = []\nfor i in range(4):\n  r, w = os.pipe()\n  g, h = os.pipe()\n  pid = os.fork()\n  if pid == 0:\n    os.close(r)\n    \
                      os.close(h)\n    x = b'x' * (200 << 20)\n    os.write(w, b'x')\n    os.read(g, 1)\n    os._exit(0)\n  os.close(w)\n  os.close(g)\n  \
                      os.read(r, 1)\n  kept.append((pid, h))\nprint('HELD', sum(os.waitpid(pid, os.WNOHANG)[0] == 0 for pid, _ in kept))";
        let outcome = host.python_outcome(backend, script, |jail| {
            (jail.limits.memory_bytes, jail.limits.tmp_bytes) = (512 << 20, 8 << 20);
        });
        outcome.map_or(Found::Untried, |outcome| {
            let seen = text(&outcome.stdout);
            assert!(seen.contains("HELD") && !seen.contains("HELD 0"), "{seen}");
            (!seen.contains("HELD 4")).into()
        })
    }),
    ("processes are limited", |host, backend| {
        // Nothing is forked after the flag, so that the last step does not fail for the very limit.
        let mark = mark();
        let script = format!(
            "(i=0; while [ $i -lt 120 ]; do sleep {mark} & i=$((i+1)); done) 2>/dev/null\n: > ready; exec sleep {mark}"
        );
        let mut jail = host.jail(&script);
        jail.limits.processes = 40;
        let mut running = jail.spawn(&isolation(backend)).unwrap();
        until("the processes", || host.path("out/ready").exists());
        // The first process inside and bubblewrap carry the script in their arguments.
        let count = marked(&mark).len();
        running.kill();
        running.wait().unwrap();
        assert!(count > 20, "some must be allowed: {count}");
        (count <= 40 + 2).into()
    }),
    ("a file can't grow beyond its limit", |host, backend| {
        let mut jail = host.jail("head -c 20000000 /dev/zero > big; true");
        jail.limits.file_bytes = 1 << 20;
        run(&jail, backend);
        (fs::metadata(host.path("out/big")).unwrap().len() == 1 << 20).into()
    }),
    ("open files are limited", |host, backend| {
        let script = "f = [open('/dev/null') for _ in range(30)]\nprint('SOME')\nf += [open('/dev/null') for _ in range(60)]\nprint('GOT')";
        let outcome = host.python_outcome(backend, script, |jail| jail.limits.open_files = 64);
        outcome.map_or(Found::Untried, |outcome| {
            let seen = text(&outcome.stdout);
            (seen.contains("SOME") && !seen.contains("GOT")).into()
        })
    }),
    ("limits can't be raised", |host, backend| {
        let seen = host.shell(
            backend,
            "(ulimit -n 10000 && echo GOT); (ulimit -v unlimited && echo GOT); (ulimit -n 100 && echo LOWER)",
        );
        (seen.contains("LOWER") && !seen.contains("GOT")).into()
    }),
    ("printing is cut off, not blocked", |host, backend| {
        let mut jail = host.jail("head -c 5000000 /dev/zero; head -c 5000000 /dev/zero >&2; exit 3");
        jail.limits.output_bytes = 10_000;
        let outcome = run(&jail, backend);
        let lengths = (outcome.stdout.len(), outcome.stderr.len());
        (lengths == (10_000, 10_000) && outcome.status == Exit::Code(3)).into()
    }),
    ("threads and a thousand files are fine", |host, backend| {
        let script = "import threading, pathlib\np = pathlib.Path('many')\np.mkdir()\n\
                      def work(n):\n  for i in range(125): (p / f'{n}-{i}').write_text('x')\n\
                      t = [threading.Thread(target=work, args=(n,)) for n in range(8)]\n\
                      for x in t: x.start()\nfor x in t: x.join()";
        let Some(seen) = host.python(backend, script) else { return Found::Untried };
        let made = fs::read_dir(host.path("out/many")).map_or(0, Iterator::count);
        (made == 1000 && !seen.contains("REFUSED")).into()
    }),
];
