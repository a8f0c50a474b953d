//! Files.

use crate::host::{Attempt, FLAG, Found, open, run, text};
use aar_sandbox::Exit;
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;

pub const ALL: &[(&str, Attempt)] = &[
    ("exit code and output come back", |host, backend| {
        let outcome = run(&host.jail("echo out; echo err >&2; exit 7"), backend);
        let said = (outcome.status, text(&outcome.stdout), text(&outcome.stderr));
        let signalled = run(&host.jail("echo before; kill -SEGV $$"), backend);
        let told = (signalled.status, text(&signalled.stdout), text(&signalled.stderr));
        let kept = said == (Exit::Code(7), "out\n".into(), "err\n".into())
            && told == (Exit::Signal(libc::SIGSEGV), "before\n".into(), String::new());
        kept.into()
    }),
    ("given folders can be read, written, cleared", |host, backend| {
        fs::create_dir(host.path("out/old")).unwrap();
        fs::write(host.path("out/old/file"), "old").unwrap();
        let script = "cat \"$IN/data.txt\" old/file && mkdir -m 700 sub && echo mine > sub/made && chmod 600 sub/made && \
                      echo more >> \"$OUT/old/file\"";
        let seen = host.shell(backend, script);
        let read = |name: &str| fs::read_to_string(host.path(name)).unwrap_or_default();
        let written = read("out/sub/made") == "mine\n" && read("out/old/file") == "oldmore\n";
        let cleared = ["out/sub", "out/old"].iter().all(|name| fs::remove_dir_all(host.path(name)).is_ok());
        (seen.starts_with("publicold") && written && cleared).into()
    }),
    ("read-only data can't be changed", |host, backend| {
        open(&host.path("in"), 0o777);
        host.shell(backend, "echo x > \"$IN/new\"; echo x >> \"$IN/data.txt\"; mv \"$IN/data.txt\" \"$IN/moved\"");
        let same = fs::read(host.path("in/data.txt")).is_ok_and(|text| text == b"public");
        (same && fs::read_dir(host.path("in")).unwrap().count() == 1).into()
    }),
    ("host files beside the mounts can't be read", |host, backend| {
        let secret = host.path("vault/secret.txt");
        let script = format!("cat {} $IN/../vault/secret.txt /proc/1/root{0}", secret.display());
        (!host.shell(backend, &script).contains(FLAG)).into()
    }),
    ("host files beside the mounts can't be written", |host, backend| {
        let vault = host.path("vault");
        let vault = vault.display();
        let script = format!("echo x > {vault}/new; echo x > $OUT/../vault/other; true > {vault}/secret.txt");
        host.shell(backend, &script);
        let same = fs::read(host.path("vault/secret.txt")).is_ok_and(|text| text == FLAG.as_bytes());
        (same && fs::read_dir(host.path("vault")).unwrap().count() == 1).into()
    }),
    ("modes of host files can't be changed", |host, backend| {
        let secret = host.path("vault/secret.txt");
        host.shell(backend, &format!("chmod 640 {}", secret.display()));
        (fs::metadata(&secret).unwrap().permissions().mode() & 0o777 == 0o666).into()
    }),
    ("the host's users can't be listed", |host, backend| {
        (!host.shell(backend, "cat /etc/passwd").contains("root:")).into()
    }),
    ("a link left in the output shows nothing", |host, backend| {
        let script = format!("ln -s {} link && cat link", host.path("vault/secret.txt").display());
        let seen = host.shell(backend, &script);
        assert!(fs::symlink_metadata(host.path("out/link")).is_ok(), "{seen}");
        (!seen.contains(FLAG)).into()
    }),
    ("open files of the host are not inherited", |host, backend| {
        let file = fs::File::open(host.path("vault/secret.txt")).unwrap();
        let descriptor = file.as_raw_fd();
        // SAFETY: takes the close-on-exec mark of a descriptor that lives until the end of this attempt.
        assert_eq!(unsafe { libc::fcntl(descriptor, libc::F_SETFD, 0) }, 0);
        // The control: an ordinary child does inherit it.
        let look = format!("[ -e /proc/self/fd/{descriptor} ]");
        let inherited = std::process::Command::new("/bin/sh").args(["-c", &look]).status().unwrap().success();
        assert!(inherited, "the attempt did not take place");
        let script = format!("import os\nprint(os.pread({descriptor}, 100, 0))");
        host.python(backend, &script).map_or(Found::Untried, |seen| (!seen.contains(FLAG)).into())
    }),
];
