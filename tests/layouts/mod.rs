//! PDUs by the table of commands: every command with fields of every length, octet by octet and without the codec.

/// A generator of numbers that look random and are the same in every run (splitmix64).
pub(crate) struct Random(pub(crate) u64);

/// A command of the table and the fields of its body.
pub(crate) struct Layout {
    command: u32,
    pub(crate) name: String,
    fields: Vec<Field>,
    has_tlvs: bool,
}

struct Field {
    name: String,
    kind: Kind,
}

enum Kind {
    /// An integer of so many octets.
    Integer(usize),
    /// A C-octet string of at most so many octets with its NUL.
    Text(usize),
    Time,
    /// How many of the next field there are: from, to.
    Count(usize, usize),
    Octets,
    Repeated(Vec<Field>),
    /// The groups of submit_multi, told apart by their first octet.
    Choice(Vec<(u8, Vec<Field>)>),
}

/// A TLV of the table.
pub(crate) struct TlvLayout {
    pub(crate) tag: u16,
    kind: String,
    octets_min: usize,
    octets_max: usize,
}

/// Values are kept short, so that many fit into a run.
const OCTETS_MAX: usize = 40;

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From `from` to `to`, both included.
    pub(crate) fn between(&mut self, from: usize, to: usize) -> usize {
        from + usize::try_from(self.next() % (to - from + 1) as u64).expect("small")
    }

    /// True once in so many.
    pub(crate) fn once_in(&mut self, many: usize) -> bool {
        self.between(1, many) == 1
    }
}

/// The commands whose layout is known. Vendors' own and what only one source describes are left out.
pub(crate) fn layouts() -> Vec<Layout> {
    let mut reader = csv::Reader::from_reader(include_str!("../data/facts/smpp_commands.csv").as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let known = rows.iter().filter(|row| !row[5].starts_with('('));
    known
        .map(|row| Layout {
            command: u32::from_str_radix(row[0].trim_start_matches("0x"), 16).expect("hexadecimal"),
            name: row[1].to_owned(),
            fields: fields_of(&row[5], ';'),
            has_tlvs: &row[6] != "no",
        })
        .collect()
}

/// The TLVs of the table.
pub(crate) fn tlv_layouts() -> Vec<TlvLayout> {
    let mut reader = csv::Reader::from_reader(include_str!("../data/facts/smpp_tlvs.csv").as_bytes());
    let rows = reader.records().map(|row| row.expect("a row"));
    rows.map(|row| TlvLayout {
        tag: u16::from_str_radix(row[0].trim_start_matches("0x"), 16).expect("hexadecimal"),
        kind: row[4].to_owned(),
        octets_min: row[2].parse().expect("a number"),
        octets_max: row[3].parse().expect("a number"),
    })
    .collect()
}

fn fields_of(body: &str, separator: char) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for part in split_outside_braces(body, separator) {
        let (name, kind) = part.split_once(':').expect("name:type");
        let (kind, counted_by) = match kind.rsplit_once('[') {
            Some((kind, count)) => (kind, Some(count.trim_end_matches(']'))),
            None => (kind, None),
        };
        let kind = kind_of(kind, counted_by.is_some());
        if let Some(count) = counted_by {
            let counter = fields.iter_mut().find(|field| field.name == count).expect("the count is a field before");
            counter.kind = match &kind {
                Kind::Octets => Kind::Count(0, 255),
                Kind::Choice(_) => Kind::Count(1, 4),
                _ => Kind::Count(0, 3),
            };
        }
        fields.push(Field { name: name.to_owned(), kind });
    }
    fields
}

fn kind_of(kind: &str, is_counted: bool) -> Kind {
    let number = || kind[1..].parse().expect("a number of octets");
    match kind.chars().next() {
        Some('i') => Kind::Integer(number()),
        Some('c') if is_counted => Kind::Repeated(vec![Field { name: "each".to_owned(), kind: Kind::Text(number()) }]),
        Some('c') => Kind::Text(number()),
        Some('t') => Kind::Time,
        Some('o') => Kind::Octets,
        Some('{') => {
            let inner = &kind[1..kind.len() - 1];
            match inner.split_once(";1=>") {
                None => Kind::Repeated(fields_of(inner, ',')),
                Some((_, groups)) => {
                    let (first, second) = groups.split_once(";2=>").expect("two groups");
                    Kind::Choice(vec![(1, fields_of(first, ',')), (2, fields_of(second, ','))])
                }
            }
        }
        _ => panic!("no such type: {kind}"),
    }
}

fn split_outside_braces(body: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, letter) in body.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ if letter == separator && depth == 0 => {
                parts.push(&body[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&body[start..]);
    parts.retain(|part| !part.is_empty());
    parts
}

impl Layout {
    /// Whether TLVs may follow the fields.
    pub(crate) fn takes_tlvs(&self) -> bool {
        self.has_tlvs
    }

    /// Appends a PDU. `tlvs` are the octets behind its fields.
    pub(crate) fn write(&self, random: &mut Random, tlvs: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        let status = if self.command & 0x8000_0000 != 0 && random.once_in(4) { random.next() % 0x46 } else { 0 };
        let sequence = random.next();
        for word in [0, self.command, status as u32, sequence as u32] {
            out.extend_from_slice(&word.to_be_bytes());
        }
        write_fields(&self.fields, random, out);
        out.extend_from_slice(tlvs);
        let length = u32::try_from(out.len() - start).expect("short");
        out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    }
}

impl TlvLayout {
    /// Appends this TLV with a value of its type.
    pub(crate) fn write(&self, random: &mut Random, out: &mut Vec<u8>) {
        let octets = random.between(self.octets_min, self.octets_max.min(self.octets_min + OCTETS_MAX));
        out.extend_from_slice(&self.tag.to_be_bytes());
        out.extend_from_slice(&u16::try_from(octets).expect("short").to_be_bytes());
        if self.kind == "cstring" {
            push_letters(random, octets - 1, out);
            out.push(0);
        } else {
            (0..octets).for_each(|_| out.push(random.next() as u8));
        }
    }
}

fn write_fields(fields: &[Field], random: &mut Random, out: &mut Vec<u8>) {
    let mut count = 0;
    for field in fields {
        match &field.kind {
            Kind::Integer(octets) => out.extend_from_slice(&random.next().to_be_bytes()[..*octets]),
            Kind::Text(octets_max) => {
                let octets = if random.once_in(3) { 0 } else { random.between(0, octets_max - 1) };
                push_letters(random, octets, out);
            }
            Kind::Time => push_time(random, out),
            Kind::Count(from, to) => {
                let most = if random.once_in(8) { *to } else { OCTETS_MAX.min(*to) };
                count = random.between(*from, most);
                out.push(u8::try_from(count).expect("at most 255"));
            }
            Kind::Octets => (0..count).for_each(|_| out.push(random.next() as u8)),
            Kind::Repeated(group) => (0..count).for_each(|_| write_fields(group, random, out)),
            Kind::Choice(groups) => {
                for _ in 0..count {
                    let (flag, group) = &groups[random.between(0, groups.len() - 1)];
                    out.push(*flag);
                    write_fields(group, random, out);
                }
            }
        }
        if matches!(field.kind, Kind::Text(_) | Kind::Time) {
            out.push(0);
        }
    }
}

/// Letters and digits, so that a decoder of text shows them as they are.
fn push_letters(random: &mut Random, octets: usize, out: &mut Vec<u8>) {
    const LETTERS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-.";
    let mut bits = 0;
    for at in 0..octets {
        bits = if at % 10 == 0 { random.next() } else { bits >> 6 };
        out.push(LETTERS[(bits & 63) as usize]);
    }
}

/// Nothing, or a time of 16 characters (SMPP 3.4 section 7.1.1), half of them relative.
fn push_time(random: &mut Random, out: &mut Vec<u8>) {
    let two = |random: &mut Random, from, to| format!("{:02}", random.between(from, to));
    if random.once_in(2) {
        return;
    }
    let is_relative = random.once_in(2);
    let (month_min, month_max) = if is_relative { (0, 11) } else { (1, 12) };
    for (from, to) in [(0, 36), (month_min, month_max), (1, 28), (0, 23), (0, 59), (0, 59)] {
        out.extend_from_slice(two(random, from, to).as_bytes());
    }
    out.extend_from_slice(if is_relative { b"000R" } else { b"000+" });
}
