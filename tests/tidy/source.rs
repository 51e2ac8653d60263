//! Just enough of Rust's grammar to judge a source file: comments and literals blanked out, test-only
//! items found, functions measured, `crate::` paths spelled out one by one.

use std::ops::Range;

/// One source file: its path from the package root, its text, and its text with comments and literals
/// replaced by spaces. Both texts have the same length and the same line breaks.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) code: String,
}

/// A function with a body: its name and its length in lines, from `fn` to the closing brace.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) lines: usize,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned(), code: blanked(text) }
    }

    /// The top-level module of a file below `src/`: `core` for `src/core/turn.rs`, `fact` for `src/fact.rs`.
    pub(crate) fn module(&self) -> Option<&str> {
        let rest = self.path.strip_prefix("src/")?;
        Some(rest.split('/').next()?.trim_end_matches(".rs"))
    }

    /// How many modules lie between the crate root and this file's own: 1 for `src/core/mod.rs`.
    pub(crate) fn depth(&self) -> usize {
        let rest = self.path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
        rest.split('/').count()
    }

    /// The code without the items under `#[cfg(test)]`.
    pub(crate) fn production(&self) -> String {
        let mut code = self.code.clone();
        for range in self.test_items() {
            let blank: String = code[range.clone()].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
            code.replace_range(range, &blank);
        }
        code
    }

    /// Where the items under `#[cfg(test)]` lie.
    fn test_items(&self) -> Vec<Range<usize>> {
        let mut items = Vec::new();
        let mut from = 0;
        while let Some(found) = self.code[from..].find("#[cfg(test)]") {
            let start = from + found;
            let end = end_of_item(&self.code, start + "#[cfg(test)]".len());
            items.push(start..end);
            from = end;
        }
        items
    }

    /// Names of modules that are declared for tests only and live in files of their own.
    pub(crate) fn test_modules(&self) -> Vec<String> {
        let declared = self.test_items().into_iter().filter_map(|range| {
            let item = self.code[range].trim_end();
            let words: Vec<&str> = item.strip_suffix(';')?.split_whitespace().collect();
            let at = words.iter().position(|word| *word == "mod")?;
            words.get(at + 1).map(|name| (*name).to_owned())
        });
        declared.collect()
    }

    /// All functions that have a body.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let mut functions = Vec::new();
        for (start, _) in self.code.match_indices("fn ") {
            let name: String = self.code[start + 3..].chars().take_while(|c| is_word(*c)).collect();
            if name.is_empty() || !starts_a_word(&self.code, start) {
                continue;
            }
            if let Some(body) = body_after(&self.code, start) {
                let lines = self.code[start..body.end].matches('\n').count() + 1;
                functions.push(Function { name, lines });
            }
        }
        functions
    }

    /// Every path of the production code that starts at the crate root, groups spelled out, without `crate::`.
    pub(crate) fn crate_paths(&self) -> Vec<String> {
        let code = self.production();
        let mut paths = Vec::new();
        for (start, word) in code.match_indices("crate::") {
            if starts_a_word(&code, start) {
                spell_out(&code[start + word.len()..], "", &mut paths);
            }
        }
        paths
    }

    /// Chains of `super::` in production code that climb to the crate root.
    pub(crate) fn climbs_to_the_root(&self) -> bool {
        let code = self.production();
        let mut at = 0;
        while let Some(found) = code[at..].find("super::") {
            let start = at + found;
            let length = code[start..].split("super::").take_while(|between| between.is_empty()).count();
            if length >= self.depth() + inline_modules_around(&code, start) {
                return true;
            }
            at = start + length * "super::".len();
        }
        false
    }
}

/// Whether `code` has `word` as a word of its own.
pub(crate) fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(start, _)| {
        let after = code[start + word.len()..].chars().next();
        starts_a_word(code, start) && (!word.ends_with(is_word) || !after.is_some_and(is_word))
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn starts_a_word(code: &str, at: usize) -> bool {
    !code[..at].chars().next_back().is_some_and(is_word)
}

/// Spells out one use tree: `a::{b, c::D as E}` gives `a::b` and `a::c::D`. Returns how far it read.
fn spell_out(tree: &str, prefix: &str, paths: &mut Vec<String>) -> usize {
    let mut path = prefix.to_owned();
    let mut at = 0;
    loop {
        let rest = &tree[at..];
        let space = rest.len() - rest.trim_start().len();
        let rest = rest.trim_start();
        at += space;
        let name: usize = rest.chars().take_while(|c| is_word(*c) || *c == '*').map(char::len_utf8).sum();
        if name > 0 {
            path.push_str(&rest[..name]);
            at += name;
            if !tree[at..].starts_with("::") {
                break;
            }
            path.push_str("::");
            at += 2;
            continue;
        }
        if rest.starts_with('{') {
            at += 1;
            while !tree[at..].trim_start().starts_with('}') && at < tree.len() {
                at += spell_out(&tree[at..], &path, paths);
                let next = tree[at..].find([',', '}']).unwrap_or(tree.len() - at);
                at += next + usize::from(tree[at + next..].starts_with(','));
            }
            return at + tree[at..].find('}').map_or(0, |end| end + 1);
        }
        break;
    }
    paths.push(path.trim_end_matches("::").to_owned());
    at
}

/// How many inline modules (`mod x { ... }`) surround this place.
fn inline_modules_around(code: &str, at: usize) -> usize {
    let opened = code.match_indices("mod ").filter(|(start, _)| *start < at && starts_a_word(code, *start));
    let around = opened.filter(|(start, _)| body_after(code, *start).is_some_and(|body| body.contains(&at)));
    around.count()
}

/// The end of the item that starts after its attribute: past its `;` or its closing brace.
fn end_of_item(code: &str, from: usize) -> usize {
    match body_after(code, from) {
        Some(body) => body.end,
        None => code[from..].find(';').map_or(code.len(), |end| from + end + 1),
    }
}

/// The braces of the item that starts at `from`, or nothing when a `;` ends it first.
fn body_after(code: &str, from: usize) -> Option<Range<usize>> {
    let mut depth = 0i32;
    let mut opened = None;
    for (offset, c) in code[from..].char_indices() {
        match c {
            ';' if depth == 0 => return None,
            '{' if depth == 0 && opened.is_none() => {
                opened = Some(from + offset);
                depth += 1;
            }
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if let (Some(start), 0, '}') = (opened, depth, c) {
            return Some(start..from + offset + 1);
        }
    }
    None
}

/// The text with comments, strings and character literals replaced by spaces, byte for byte.
fn blanked(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_or_comment(text, at);
        if end == at {
            at += 1;
            continue;
        }
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end;
    }
    // What lies outside literals and comments may hold any letter; it was copied whole.
    String::from_utf8(out).expect("only whole literals and comments were replaced")
}

/// The end of the comment or literal that starts at this byte, or the same place when none does.
fn literal_or_comment(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let rest = &bytes[at..];
    if rest.starts_with(b"//") {
        return at + rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
    }
    if rest.starts_with(b"/*") {
        return at + block_comment(rest);
    }
    if rest[0] == b'"' {
        return at + quoted(rest, b'"');
    }
    let in_a_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    if rest[0] == b'r' && (!in_a_word || bytes[at - 1] == b'b') {
        let hashes = rest[1..].iter().take_while(|b| **b == b'#').count();
        if rest.get(1 + hashes) == Some(&b'"') {
            let close = format!("\"{}", "#".repeat(hashes));
            let body = at + 2 + hashes;
            return text[body..].find(&close).map_or(bytes.len(), |end| body + end + close.len());
        }
    }
    // 'a' and '\n' are literals, 'a without a closing quote is a lifetime.
    if rest[0] == b'\'' {
        let mut chars = text[at + 1..].char_indices();
        return match (chars.next(), chars.next()) {
            (Some((_, '\\')), _) => at + quoted(rest, b'\''),
            (Some(_), Some((offset, '\''))) => at + 1 + offset + 1,
            _ => at,
        };
    }
    at
}

/// The length of the quoted literal that `rest` starts with.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// The length of the block comment, which may hold others, that `rest` starts with.
fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match &rest[at..(at + 2).min(rest.len())] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}
