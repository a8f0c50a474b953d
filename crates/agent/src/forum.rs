//! The forum as files in the private folder, so that it can be read and searched like anything else: one file per post, each text in
//! a fence whose every line is marked, whatever tool shows it.

use crate::tools::{Platform, Wrong, findings};
use aar_api::forum::Finding;
use aar_api::paths;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Keeps `forum/` in step with the server.
#[derive(Debug, Default)]
pub struct Forum {
    /// Posts that were written, with the number of comments they had.
    written: BTreeMap<i64, usize>,
    looked: Option<Instant>,
}

impl Forum {
    /// Fetch what is new, unless that was done a short while ago or the forum is shut. The numbers of posts that are new or have new
    /// comments. Where the server can't be reached nothing is new; the tools will say so.
    pub fn sync(&mut self, platform: &Platform, every: Duration) -> Vec<i64> {
        let early = self.looked.is_some_and(|at| at.elapsed() < every);
        if early || platform.forum_open().is_err() {
            return Vec::new();
        }
        self.looked = Some(Instant::now());
        self.fetch(platform).unwrap_or_default()
    }

    /// How many posts are there as files.
    pub fn posts(&self) -> usize {
        self.written.len()
    }

    fn fetch(&mut self, platform: &Platform) -> Result<Vec<i64>, Wrong> {
        let all: Vec<Finding> = platform.get(paths::FINDINGS)?;
        let mut news = Vec::new();
        for finding in &all {
            if self.written.get(&finding.id) == Some(&finding.comments) {
                continue;
            }
            let comments = if finding.comments > 0 { findings::comments(platform, finding.id)? } else { Vec::new() };
            let text = findings::whole(platform, finding, &comments);
            write(platform, finding, &text).map_err(|error| Wrong(error.to_string()))?;
            self.written.insert(finding.id, finding.comments);
            news.push(finding.id);
        }
        Ok(news)
    }
}

fn write(platform: &Platform, finding: &Finding, text: &str) -> std::io::Result<()> {
    let folder = platform.settings.work.join("forum");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join(name(finding)), text.to_owned() + "\n")
}

/// `0012-result-boole.md`: what a name holds comes from the server's numbers and kinds, and of the author only plain characters.
fn name(finding: &Finding) -> PathBuf {
    let by: String = finding.by.chars().filter(|c| c.is_ascii_alphanumeric()).take(24).collect();
    format!("{:04}-{}-{by}.md", finding.id, findings::kind_name(finding)).into()
}
