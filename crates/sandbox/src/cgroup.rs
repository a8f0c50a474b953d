//! Control groups, version 1 or 2, where this process may make some of its own: they count what limits of single processes can't, the memory
//! and the number of processes of a whole tree, and hold it together.
//!
//! A jail does without where there are none; `found` says which, `aar doctor` shows it.

use crate::limits::Limits;
use serde::Serialize;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Rounds of ending what is in a group, and of removing it, with a pause between them.
const ROUNDS: u32 = 200;
const PAUSE: Duration = Duration::from_millis(2);

/// What control groups give here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The memory of a whole tree is limited; by this version.
    pub memory: Option<u8>,
    /// The processes of a tree are counted apart from all others; by this version.
    pub processes: Option<u8>,
    /// What is missing, and why.
    pub lack: Option<String>,
}

/// A folder in which groups can be made, and what is counted there.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    version: u8,
    folder: PathBuf,
    memory: bool,
    processes: bool,
}

/// What this machine gives, found by trying, once.
pub fn found() -> &'static Found {
    &tried().1
}

fn tried() -> &'static (Vec<Place>, Found) {
    static TRIED: OnceLock<(Vec<Place>, Found)> = OnceLock::new();
    TRIED.get_or_init(|| {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let places = places(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"));
        if places.is_empty() {
            let lack = "no memory or pids controller is mounted".to_owned();
            return (places, Found { lack: Some(lack), ..Found::default() });
        }
        let (mut good, mut found) = (vec![], Found::default());
        for place in places {
            match place.works() {
                Ok(place) => {
                    found.memory = found.memory.or(place.memory.then_some(place.version));
                    found.processes = found.processes.or(place.processes.then_some(place.version));
                    good.push(place);
                }
                Err(error) => {
                    found.lack.get_or_insert(format!("{} is not ours to divide: {error}", place.folder.display()));
                }
            }
        }
        (good, found)
    })
}

/// Where this process is in each hierarchy that counts memory or processes.
fn places(mounts: &str, own: &str) -> Vec<Place> {
    let own = |wanted: &dyn Fn(&str, &str) -> bool| {
        own.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':');
            let (number, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
            wanted(number, controllers).then(|| path.to_owned())
        })
    };
    let place = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        let (before, after): (Vec<&str>, Vec<&str>) = (before.split(' ').collect(), after.split(' ').collect());
        let (root, point) = (*before.get(3)?, Path::new(*before.get(4)?));
        let has = |name: &str| after.last().is_some_and(|options| options.split(',').any(|option| option == name));
        let (version, path) = match *after.first()? {
            "cgroup" if has("memory") || has("pids") => {
                let name = if has("memory") { "memory" } else { "pids" };
                (1, own(&|_, controllers| controllers.split(',').any(|controller| controller == name))?)
            }
            "cgroup2" => (2, own(&|number, _| number == "0")?),
            _ => return None,
        };
        let below = path.strip_prefix(root).unwrap_or(&path).trim_start_matches('/');
        let folder = if below.is_empty() { point.to_owned() } else { point.join(below) };
        if version == 1 {
            return Some(Place { version, folder, memory: has("memory"), processes: has("pids") });
        }
        let controllers = fs::read_to_string(folder.join("cgroup.controllers")).unwrap_or_default();
        let has = |name: &str| controllers.split_whitespace().any(|controller| controller == name);
        let place = Place { version, folder, memory: has("memory"), processes: has("pids") };
        (place.memory || place.processes).then_some(place)
    };
    mounts.lines().filter_map(place).collect()
}

impl Place {
    /// Make a group, run something in it, take it away again. Version 2 hands its controllers down to groups first.
    fn works(&self) -> io::Result<Self> {
        if self.version == 2 {
            for (name, wanted) in [("memory", self.memory), ("pids", self.processes)] {
                let control = self.folder.join("cgroup.subtree_control");
                let given = fs::read_to_string(&control)?;
                if wanted && !given.split_whitespace().any(|given| given == name) {
                    // Refused where processes are in this very group: then its owner has to make one below it for us.
                    fs::write(&control, format!("+{name}"))?;
                }
            }
        }
        self.sweep();
        let group = Group::below(std::slice::from_ref(self), &Limits::default(), 0)?;
        let joined = group.joining();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", ":"]);
        // SAFETY: writes to open descriptors only.
        unsafe { command.pre_exec(move || join(&joined)) };
        match command.status()?.success() {
            true => Ok(self.clone()),
            false => Err(io::Error::other("a process in a group of its own failed")),
        }
    }

    /// Remove groups of processes that were killed and are gone.
    fn sweep(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let maker = name.strip_prefix("aar-").and_then(|rest| rest.split('-').next()).map(str::to_owned);
            if maker.is_some_and(|maker| !Path::new("/proc").join(maker).exists()) {
                // Refused where something still runs in it.
                let _ = fs::remove_dir(entry.path());
            }
        }
    }

    fn limit(&self, group: &Path, limits: &Limits, more: u64) -> io::Result<()> {
        // What lies in folders in memory is counted too.
        let memory = limits.memory_bytes.saturating_add(limits.tmp_bytes.saturating_mul(2)).to_string();
        if self.memory {
            let name = if self.version == 1 { "memory.limit_in_bytes" } else { "memory.max" };
            fs::write(group.join(name), &memory)?;
            // Swapped out is not saved; without swap accounting there is no such file.
            let (name, most) = if self.version == 1 {
                ("memory.memsw.limit_in_bytes", memory.as_str())
            } else {
                ("memory.swap.max", "0")
            };
            let _ = fs::write(group.join(name), most);
        }
        if self.processes {
            fs::write(group.join("pids.max"), limits.processes.saturating_add(more).to_string())?;
        }
        Ok(())
    }
}

/// A group of one jail, in every hierarchy. Dropped, everything in it is ended and it is removed.
pub(crate) struct Group {
    folders: Vec<PathBuf>,
    doors: Vec<File>,
}

impl Group {
    /// Make one, with `more` processes of our own in it beside the program's; `None` where that is not possible here.
    pub fn new(limits: &Limits, more: u64) -> Option<Self> {
        let places = &tried().0;
        if places.is_empty() { None } else { Self::below(places, limits, more).ok() }
    }

    fn below(places: &[Place], limits: &Limits, more: u64) -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("aar-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut group = Self { folders: vec![], doors: vec![] };
        for place in places {
            let folder = place.folder.join(&name);
            fs::create_dir(&folder)?;
            group.folders.push(folder.clone());
            place.limit(&folder, limits, more)?;
            group.doors.push(OpenOptions::new().write(true).open(folder.join("cgroup.procs"))?);
        }
        Ok(group)
    }

    /// For [`join`].
    pub fn joining(&self) -> Vec<RawFd> {
        self.doors.iter().map(File::as_raw_fd).collect()
    }

    /// End everything in it.
    pub fn kill(&self) {
        for _ in 0..ROUNDS {
            let inside = self.inside();
            if inside.is_empty() {
                return;
            }
            for process in inside {
                // SAFETY: a plain system call; whoever is in the group belongs to the jail.
                unsafe { libc::kill(process, libc::SIGKILL) };
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn inside(&self) -> Vec<i32> {
        let list = |folder: &PathBuf| fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
        let text: String = self.folders.first().map(list).unwrap_or_default();
        // 0 is a process of another namespace: none of ours.
        text.lines().filter_map(|line| line.parse().ok()).filter(|&process: &i32| process > 0).collect()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
        for folder in &self.folders {
            for _ in 0..ROUNDS {
                match fs::remove_dir(folder) {
                    // Those that ended are not yet gone.
                    Err(error) if error.kind() == io::ErrorKind::ResourceBusy => std::thread::sleep(PAUSE),
                    _ => break,
                }
            }
        }
    }
}

/// Let this process into a group. Between fork and exec: system calls only.
pub(crate) fn join(doors: &[RawFd]) -> io::Result<()> {
    for &door in doors {
        // SAFETY: one byte of a constant; "0" is the writing process.
        if unsafe { libc::write(door, b"0".as_ptr().cast(), 1) } != 1 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = "\
33 32 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
37 32 0:33 / /sys/fs/cgroup/memory rw,relatime shared:1 - cgroup cgroup rw,memory
40 32 0:36 /docker/ab /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
41 32 0:37 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
";

    #[test]
    fn the_first_version_has_a_hierarchy_for_each_controller() {
        let own = "8:pids:/docker/ab/c\n4:memory:/jobs/1\n0::/\n";
        let place = |folder: &str, memory, processes| Place { version: 1, folder: folder.into(), memory, processes };
        let expect = [place("/sys/fs/cgroup/memory/jobs/1", true, false), place("/sys/fs/cgroup/pids/c", false, true)];
        // The unified hierarchy counts neither here, or is not there.
        let found: Vec<Place> = places(V1, own).into_iter().filter(|place| place.version == 1).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn the_second_version_says_what_it_counts() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("user.slice/a");
        fs::create_dir_all(&folder).unwrap();
        let mounts = format!("41 32 0:37 / {} rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n", dir.path().display());
        assert_eq!(places(&mounts, "0::/user.slice/a\n"), []);
        fs::write(folder.join("cgroup.controllers"), "cpuset cpu io memory hugetlb pids\n").unwrap();
        let expect = Place { version: 2, folder: folder.clone(), memory: true, processes: true };
        assert_eq!(places(&mounts, "0::/user.slice/a\n"), std::slice::from_ref(&expect));
        // What has not been handed down and can't be is not ours.
        assert!(expect.works().is_err());
        assert_eq!(places("", ""), []);
    }

    #[test]
    fn a_group_is_gone_with_what_was_in_it() {
        let Some(group) = Group::new(&Limits::default(), 0) else {
            return println!("skipped: no control groups of our own here: {:?}", found());
        };
        let doors = group.joining();
        let mut command = Command::new("/bin/sleep");
        command.arg("60");
        // SAFETY: writes to open descriptors only.
        unsafe { command.pre_exec(move || join(&doors)) };
        let mut sleeper = command.spawn().unwrap();
        assert_eq!(group.inside(), [sleeper.id() as i32]);
        let folders = group.folders.clone();
        // The sleeper stays a zombie until it is waited for; the group is empty before.
        std::thread::spawn(move || drop(group)).join().unwrap();
        assert!(!sleeper.wait().unwrap().success());
        assert!(folders.iter().all(|folder| !folder.exists()), "{folders:?}");
    }
}
