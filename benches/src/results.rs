//! What criterion left on disk: of each bench the best sample of all rounds,
//! the one that other programs disturbed least.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::{SIZES, handshake, label, messages};

/// Times of one group: by contender, then by size, in ns per message.
#[derive(Debug, Default)]
pub struct Group {
    times: BTreeMap<(String, String), f64>,
    pub contenders: Vec<String>,
}

impl Group {
    /// Reads `DIR/GROUP/CONTENDER/SIZE/round*/sample.json`.
    pub fn read(dir: &Path, name: &str) -> Result<Group, String> {
        let mut group = Group::default();
        for contender in folders(&dir.join(name))? {
            if contender == "report" {
                continue;
            }
            for size in folders(&dir.join(name).join(&contender))? {
                let place = dir.join(name).join(&contender).join(&size);
                let best = best_sample(&place)? / batch(&size)?;
                group.times.insert((contender.clone(), size), best);
            }
            group.contenders.push(contender);
        }
        Ok(group)
    }

    /// ns per message (or frame, or handshake).
    #[must_use]
    pub fn time(&self, contender: &str, size: &str) -> Option<f64> {
        self.times
            .get(&(contender.to_owned(), size.to_owned()))
            .copied()
    }

    /// The fastest of the others.
    #[must_use]
    pub fn best_peer(&self, peers: &[&str], size: &str) -> Option<f64> {
        let times = peers.iter().filter_map(|peer| self.time(peer, size));
        times.reduce(f64::min)
    }
}

/// Messages of one batch, or handshakes.
fn batch(size: &str) -> Result<f64, String> {
    if size == "server" || size == "client" {
        return Ok(handshake::COUNT as f64);
    }
    let bytes = SIZES.into_iter().find(|&bytes| label(bytes) == size);
    let bytes = bytes.ok_or_else(|| format!("{size} is no size of these benches"))?;
    Ok(messages(bytes) as f64)
}

fn folders(dir: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names)
}

fn best_sample(place: &Path) -> Result<f64, String> {
    let rounds = folders(place)?;
    let rounds = rounds.iter().filter(|name| name.starts_with("round"));
    let mut best = f64::INFINITY;
    for round in rounds {
        let file = place.join(round).join("sample.json");
        let wrong = |what: &str| format!("{}: {what}", file.display());
        let text = fs::read_to_string(&file).map_err(|error| wrong(&error.to_string()))?;
        let json: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| wrong(&error.to_string()))?;
        let numbers = |name: &str| -> Option<Vec<f64>> {
            let list = json[name].as_array()?;
            list.iter().map(serde_json::Value::as_f64).collect()
        };
        let (Some(times), Some(counts)) = (numbers("times"), numbers("iters")) else {
            return Err(wrong("no samples"));
        };
        let each = times.iter().zip(&counts).map(|(time, count)| time / count);
        best = each.fold(best, f64::min);
    }
    if best.is_finite() {
        Ok(best)
    } else {
        Err(format!("{}: no round was measured", place.display()))
    }
}
