//! Patterns with variable folders, which DataFusion's listing does not have: it holds a pattern against names of files.
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::listing::ListingTableUrl;

use super::files::{refuse, url_of};

/// What a pattern matches.
#[derive(Debug)]
pub struct Matched {
    /// Files, or folders to be listed.
    pub urls: Vec<ListingTableUrl>,
    /// Hive partitions that the pattern chose: the column and its values.
    pub partitions: Vec<(String, Vec<String>)>,
}

/// True where `*`, `?` or `[` make a pattern.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// True where a folder of the path is a pattern, and not only the name of its files.
pub fn has_variable_folder(location: &str) -> bool {
    let folders = location.rsplit_once('/').map_or("", |(folders, _)| folders);
    is_pattern(folders)
}

/// The files and folders on this machine that match `location`, part by part; `**` stands for any folders.
///
/// Hive partitions from the first variable folder on become columns, as they do below a directory.
///
/// # Errors
/// When the pattern is not one, or leads through partitions of several kinds.
pub fn expand(location: &str) -> Result<Matched> {
    let parts: Vec<&str> = location.split('/').collect();
    let fixed = parts.iter().take_while(|part| !is_pattern(part)).count();
    let (base, variable) = parts.split_at(fixed.min(parts.len()));
    let base = match base.join("/") {
        root if base == [""] => format!("{root}/"),
        here if here.is_empty() => ".".to_owned(),
        base => base,
    };
    let base = PathBuf::from(base);
    let found = walk(&base, variable)?;
    let mut places = Vec::with_capacity(found.len());
    for path in found {
        places.extend(Place::of(&base, path));
    }
    let name = variable.last().copied().unwrap_or_default();
    matched(location, name, &places)
}

fn walk(base: &Path, variable: &[&str]) -> Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::from([base.to_owned()]);
    for part in variable {
        found = match *part {
            // a slash at the end asks for folders
            "" => found.into_iter().filter(|path| path.is_dir()).collect(),
            "**" => found.iter().flat_map(|path| folders_below(path)).collect(),
            part if is_pattern(part) => {
                let pattern = pattern_of(part)?;
                let matches = |path: &PathBuf| {
                    let glob = pattern.get_glob().as_ref();
                    name_of(path).is_some_and(|name| glob.is_some_and(|glob| glob.matches(name)))
                };
                let inside = found.iter().flat_map(|path| entries(path));
                inside.filter(matches).collect()
            }
            part => {
                let inside = found.into_iter().map(|path| path.join(part));
                inside.filter(|path| path.exists()).collect()
            }
        };
    }
    Ok(found)
}

/// A part of a path as a pattern of names.
///
/// # Errors
/// When a bracket is not closed and the like.
pub fn pattern_of(part: &str) -> Result<ListingTableUrl> {
    let pattern = ListingTableUrl::parse("file:///")?.with_glob(part);
    pattern.or_else(|error| {
        refuse(format!(
            "'{part}' is not a pattern ({}). Expected *, ?, [a-z] or the name of a file that exists",
            error.strip_backtrace()
        ))
    })
}

/// What is in a folder, without hidden files; nothing where it cannot be read.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return vec![];
    };
    let paths = entries.flatten().map(|entry| entry.path());
    paths
        .filter(|path| name_of(path).is_some_and(|name| !name.starts_with('.')))
        .collect()
}

fn folders_below(folder: &Path) -> Vec<PathBuf> {
    let inside = entries(folder).into_iter();
    // a link may lead back up
    let inside = inside.filter(|path| path.is_dir() && !path.is_symlink());
    let mut all = vec![folder.to_owned()];
    all.extend(inside.flat_map(|path| folders_below(&path)));
    all
}

fn name_of(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

/// A path that matches, and the hive partitions that it ends in.
struct Place {
    path: PathBuf,
    /// The folder of its first partition, or the path itself where it has none.
    root: PathBuf,
    partitions: Vec<(String, String)>,
}

impl Place {
    fn of(base: &Path, path: PathBuf) -> Option<Self> {
        let inside = path.strip_prefix(base).ok()?.to_str()?;
        let mut folders: Vec<&str> = inside.split('/').filter(|part| !part.is_empty()).collect();
        if !path.is_dir() {
            folders.pop();
        }
        let partitions: Vec<(String, String)> = folders
            .iter()
            .rev()
            .map_while(|folder| folder.split_once('='))
            .map(|(key, value)| (key.to_owned(), percent_decoded(value)))
            .collect();
        let plain = folders.len() - partitions.len();
        let root = match partitions.is_empty() {
            true => path.clone(),
            false => base.join(folders.get(..plain)?.join("/")),
        };
        Some(Self {
            path,
            root,
            partitions: partitions.into_iter().rev().collect(),
        })
    }

    fn keys(&self) -> Vec<&str> {
        self.partitions
            .iter()
            .map(|(key, _)| key.as_str())
            .collect()
    }
}

/// The value of a partition as DataFusion reads it off the name of its folder.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = text_of(after.get(..2)).and_then(|code| u8::from_str_radix(code, 16).ok());
        match code {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// Two hexadecimal digits; a sign is none.
fn text_of(digits: Option<&[u8]>) -> Option<&str> {
    let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    str::from_utf8(digits).ok()
}

fn matched(location: &str, name: &str, places: &[Place]) -> Result<Matched> {
    let keys = places.first().map(Place::keys).unwrap_or_default();
    if let Some(other) = places.iter().find(|place| place.keys() != keys) {
        return refuse(format!(
            "'{location}' matches files with the partitions ({}) and ({}). Expected the same folders above each. \
             Hint: a narrower pattern",
            keys.join(", "),
            other.keys().join(", ")
        ));
    }
    let roots: BTreeSet<&Path> = places.iter().map(|place| place.root.as_path()).collect();
    let only_files = places.iter().all(|place| !place.path.is_dir());
    let url = |path: &Path| match url_of(path, location)? {
        url if keys.is_empty() || !only_files => Ok(url),
        folder => folder.with_glob(name),
    };
    let values = |(at, key): (usize, &&str)| {
        let values = places.iter().filter_map(|place| place.partitions.get(at));
        let values: BTreeSet<String> = values.map(|(_, value)| value.clone()).collect();
        ((*key).to_owned(), values.into_iter().collect())
    };
    Ok(Matched {
        urls: roots
            .into_iter()
            .map(url)
            .collect::<Result<_, DataFusionError>>()?,
        partitions: keys.iter().enumerate().map(values).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_partitions_are_decoded() {
        for (text, expected) in [
            ("2024-01", "2024-01"),
            ("a%20b%2Fc", "a b/c"),
            ("100%", "100%"),
            ("%zz%+1", "%zz%+1"),
            ("%ff", "%ff"),
            ("ü%C3%BC", "üü"),
        ] {
            assert_eq!(percent_decoded(text), expected);
        }
    }

    #[test]
    fn a_pattern_is_in_a_folder_or_in_a_name() {
        assert!(has_variable_folder("a*/b.csv") && has_variable_folder("a*/"));
        assert!(!has_variable_folder("a/b*.csv") && !has_variable_folder("b*.csv"));
    }
}
