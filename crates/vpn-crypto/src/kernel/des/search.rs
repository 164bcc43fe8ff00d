//! A heuristic search for small circuits (M. Kwan, "Reducing the Gate Count of Bitslice DES").
//!
//! The circuit of an S-box grows output by output. To get a function, the search looks for a
//! signal that has its values, then for one gate over signals that are there, then for two; else it
//! chooses one of the six inputs, gets the function apart for both values of it, where there is
//! less to fulfil, and selects between them. Values that a function may take freely are what the
//! mask leaves out. Choices are random and some are tried side by side, the smallest circuit wins.
//!
//! This file belongs to the example `des-sboxes`, which writes `s_boxes.rs`, and to the test that
//! `s_boxes.rs` is what it writes.

use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

use super::tables;

/// The values of a signal for each of the 64 inputs of an S-box.
pub(crate) type Values = u64;

/// What gates there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Basis {
    /// Gates of two inputs, as every processor has them: AND, OR, XOR, AND NOT; and NOT.
    Two,
    /// Any function of three inputs: `vpternlog`.
    Three,
}

/// A gate over earlier signals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Gate {
    Not(usize),
    And(usize, usize),
    Or(usize, usize),
    Xor(usize, usize),
    /// The first and not the second.
    AndNot(usize, usize),
    /// The function with this truth table: bit `4a + 2b + c` of it is the value for a, b, c.
    Table(u8, usize, usize, usize),
}

/// Signals 0 to 5 are the inputs, the first bit of the S-box's input first; the others are gates.
#[derive(Clone, Debug)]
pub(crate) struct Circuit {
    values: Vec<Values>,
    pub(crate) gates: Vec<Gate>,
    pub(crate) outputs: [usize; 4],
}

/// xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        ((high * bound as u64) >> 32) as usize
    }

    fn shuffled(&mut self, len: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..len).collect();
        for i in (1..len).rev() {
            order.swap(i, self.below(i + 1));
        }
        order
    }
}

/// For each S-box the best seed found, for gates of two inputs and for gates of three.
const SEEDS: [(u64, u64); 8] =
    [(179, 83), (1286, 49), (1228, 49), (1212, 28), (11, 25), (417, 35), (193, 146), (21, 93)];

/// The values of the four outputs of an S-box, the most significant first.
pub(crate) fn outputs(s_box: usize) -> [Values; 4] {
    [3, 2, 1, 0].map(|bit| {
        (0..64).fold(0, |sum, x| sum | Values::from(tables::substitute(s_box, x) >> bit & 1) << x)
    })
}

/// The source of `s_boxes.rs`.
pub(crate) fn source() -> String {
    let mut text = String::from(
        "//! The S-boxes of DES as circuits. Written by the example `des-sboxes`: do not edit.\n\n\
         // Two inputs a gate.\n\n",
    );
    let mut three = String::from("// Three inputs a gate, each any function: `vpternlog`.\n\n");
    for (s_box, (two_seed, three_seed)) in (0..8).zip(SEEDS) {
        let two = circuit(outputs(s_box), Basis::Two, two_seed);
        text.push_str(&two.function(&format!("s{}", s_box + 1), "Two", s_box));
        let circuit = circuit(outputs(s_box), Basis::Three, three_seed);
        three.push_str(&circuit.function(&format!("t{}", s_box + 1), "Three", s_box));
    }
    text.push_str(&three);
    text.insert_str(
        text.find("// Two").unwrap_or(0),
        "use super::gates::Three;\nuse super::gates::Two;\n\n",
    );
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// The circuit that one run finds. Equal seeds find equal circuits.
pub(crate) fn circuit(outputs: [Values; 4], basis: Basis, seed: u64) -> Circuit {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let values = (0..6).map(input).collect();
    let mut circuit = Circuit { values, gates: Vec::new(), outputs: [0; 4] };
    for output in random.shuffled(4) {
        let found = circuit.find(outputs[output], !0, 0, basis, 0, &mut random);
        circuit.outputs[output] = found;
    }
    circuit
}

/// The values of an input: bit 0 is the most significant of the six.
pub(crate) fn input(bit: usize) -> Values {
    (0..64).fold(0, |sum, x| sum | (x >> (5 - bit) & 1) << x)
}

impl Circuit {
    /// A function that computes the circuit.
    fn function(&self, name: &str, basis: &str, s_box: usize) -> String {
        let signal =
            |at: usize| if at < 6 { format!("a{}", at + 1) } else { format!("g{}", at - 5) };
        let mut text = format!(
            "/// S{} in {} gates.\n#[inline(always)]\npub(super) fn {name}<P: {basis}>([a1, a2, a3, a4, a5, a6]: [P; 6]) -> [P; 4] {{\n",
            s_box + 1,
            self.gates.len()
        );
        for (at, gate) in self.gates.iter().enumerate() {
            let s = |at: &usize| signal(*at);
            let gate = match gate {
                Gate::Not(a) => format!("{}.not()", s(a)),
                Gate::And(a, b) => format!("{}.and({})", s(a), s(b)),
                Gate::Or(a, b) => format!("{}.or({})", s(a), s(b)),
                Gate::Xor(a, b) => format!("{}.xor({})", s(a), s(b)),
                Gate::AndNot(a, b) => format!("{}.and_not({})", s(a), s(b)),
                Gate::Table(table, a, b, c) => {
                    format!("{}.table::<{table:#04x}>({}, {})", s(a), s(b), s(c))
                }
            };
            text.push_str(if at % 3 == 0 { "    " } else { " " });
            text.push_str(&format!("let g{} = {gate};", at + 1));
            text.push_str(if at % 3 == 2 { "\n" } else { "" });
        }
        let outputs = self.outputs.map(signal).join(", ");
        text.push_str(if self.gates.len().is_multiple_of(3) { "" } else { "\n" });
        text.push_str(&format!("    [{outputs}]\n}}\n\n"));
        text
    }

    fn add(&mut self, gate: Gate) -> usize {
        let v = |signal: usize| self.values[signal];
        let values = match gate {
            Gate::Not(a) => !v(a),
            Gate::And(a, b) => v(a) & v(b),
            Gate::Or(a, b) => v(a) | v(b),
            Gate::Xor(a, b) => v(a) ^ v(b),
            Gate::AndNot(a, b) => v(a) & !v(b),
            Gate::Table(table, a, b, c) => cells([v(a), v(b), v(c)])
                .iter()
                .enumerate()
                .fold(0, |sum, (i, cell)| if table >> i & 1 == 1 { sum | cell } else { sum }),
        };
        if let Some(there) = self.values.iter().position(|other| *other == values) {
            return there;
        }
        self.values.push(values);
        self.gates.push(gate);
        self.values.len() - 1
    }

    /// A signal with the values of `target` where `mask` has ones. `chosen` are the inputs whose
    /// values the mask fixes.
    fn find(
        &mut self,
        target: Values,
        mask: Values,
        chosen: u8,
        basis: Basis,
        depth: usize,
        random: &mut Random,
    ) -> usize {
        let fits = |values: Values| (values ^ target) & mask == 0;
        if let Some(there) = self.values.iter().position(|values| fits(*values)) {
            return there;
        }
        let found = match basis {
            Basis::Two => self.few_gates(target, mask, random),
            Basis::Three => self.few_tables(target, mask, random),
        };
        found.unwrap_or_else(|| self.split(target, mask, chosen, basis, depth, random))
    }

    /// Selects between two functions by an input.
    fn split(
        &mut self,
        target: Values,
        mask: Values,
        chosen: u8,
        basis: Basis,
        depth: usize,
        random: &mut Random,
    ) -> usize {
        let widths: &[usize] = match basis {
            Basis::Two => &[4, 3, 2, 1],
            Basis::Three => &[3, 2, 1],
        };
        let width = *widths.get(depth).unwrap_or(&1);
        let mut best: Option<(Self, usize)> = None;
        let options = random.shuffled(12);
        let open = options.into_iter().filter(|option| chosen >> (option / 2) & 1 == 0);
        for option in open.take(width) {
            let (bit, first_set) = (option / 2, option % 2 == 1);
            let mut circuit = self.clone();
            let chosen = chosen | 1 << bit;
            let (set, clear) = (mask & self.values[bit], mask & !self.values[bit]);
            let (first, second) = if first_set { (set, clear) } else { (clear, set) };
            let a = circuit.find(target, first, chosen, basis, depth + 1, random);
            let result = if basis == Basis::Three {
                let b = circuit.find(target, second, chosen, basis, depth + 1, random);
                let (set, clear) = if first_set { (a, b) } else { (b, a) };
                circuit.add(Gate::Table(0xca, bit, set, clear))
            } else {
                // What has to be added to the first where the input has its other value.
                let more = target ^ circuit.values[a];
                let b = circuit.find(more, second, chosen, basis, depth + 1, random);
                let gate = if first_set { Gate::AndNot(b, bit) } else { Gate::And(bit, b) };
                let b = circuit.add(gate);
                circuit.add(Gate::Xor(a, b))
            };
            if best.as_ref().is_none_or(|(best, _)| circuit.gates.len() < best.gates.len()) {
                best = Some((circuit, result));
            }
        }
        // An input is left: a mask of six fixed inputs is one value, which every input or its
        // complement has.
        let (circuit, result) = best.unwrap_or_else(|| (self.clone(), 0));
        *self = circuit;
        result
    }

    /// One gate of two inputs, or two, or three.
    fn few_gates(&mut self, target: Values, mask: Values, random: &mut Random) -> Option<usize> {
        let fits = |values: Values, mask: Values| (values ^ target) & mask == 0;
        if let Some(there) = self.values.iter().position(|values| fits(!values, mask)) {
            return Some(self.add(Gate::Not(there)));
        }
        let order = random.shuffled(self.values.len());
        let mut pairs = Vec::with_capacity(order.len() * order.len() * 5 / 2);
        for (i, a) in order.iter().enumerate() {
            for b in &order[..i] {
                for gate in [
                    Gate::Xor(*a, *b),
                    Gate::And(*a, *b),
                    Gate::Or(*a, *b),
                    Gate::AndNot(*a, *b),
                    Gate::AndNot(*b, *a),
                ] {
                    let (v, w) = (self.values[*a], self.values[*b]);
                    let values = match gate {
                        Gate::Xor(..) => v ^ w,
                        Gate::And(..) => v & w,
                        Gate::Or(..) => v | w,
                        Gate::AndNot(first, _) if first == *a => v & !w,
                        _ => w & !v,
                    };
                    if fits(values, mask) {
                        return Some(self.add(gate));
                    }
                    pairs.push((values, gate));
                }
            }
        }
        if let Some((_, gate)) = pairs.iter().find(|(values, _)| fits(!values, mask)) {
            let inner = self.add(*gate);
            return Some(self.add(Gate::Not(inner)));
        }
        for c in order {
            let v = self.values[c];
            let find = |wanted: Values, mask: Values| {
                pairs.iter().find(|(values, _)| (values ^ wanted) & mask == 0).map(|pair| pair.1)
            };
            if let Some(gate) = find(target ^ v, mask) {
                let inner = self.add(gate);
                return Some(self.add(Gate::Xor(inner, c)));
            }
            if target & !v & mask == 0 {
                if let Some(gate) = find(target, v & mask) {
                    let inner = self.add(gate);
                    return Some(self.add(Gate::And(inner, c)));
                }
                if let Some(gate) = find(!target, v & mask) {
                    let inner = self.add(gate);
                    return Some(self.add(Gate::AndNot(c, inner)));
                }
            }
            if v & !target & mask == 0
                && let Some(gate) = find(target, !v & mask)
            {
                let inner = self.add(gate);
                return Some(self.add(Gate::Or(inner, c)));
            }
            if target & v & mask == 0
                && let Some(gate) = find(target, !v & mask)
            {
                let inner = self.add(gate);
                return Some(self.add(Gate::AndNot(inner, c)));
            }
        }
        let mut sorted: Vec<(Values, Gate)> = pairs.iter().map(|(v, g)| (v & mask, *g)).collect();
        sorted.sort_by_key(|pair| pair.0);
        for (values, gate) in &pairs {
            let wanted = (values ^ target) & mask;
            if let Ok(at) = sorted.binary_search_by_key(&wanted, |pair| pair.0) {
                let (a, b) = (self.add(*gate), self.add(sorted[at].1));
                return Some(self.add(Gate::Xor(a, b)));
            }
        }
        None
    }

    /// One gate of three inputs, or two.
    fn few_tables(&mut self, target: Values, mask: Values, random: &mut Random) -> Option<usize> {
        let order = random.shuffled(self.values.len());
        let v = |signal: usize| self.values[signal];
        let (on, off) = (target & mask, !target & mask);
        let table = |a: usize, b: usize, c: usize| -> Option<u8> {
            let mut table = 0;
            for (i, cell) in cells([v(a), v(b), v(c)]).iter().enumerate() {
                match (cell & on != 0, cell & off != 0) {
                    (true, true) => return None,
                    (true, false) => table |= 1 << i,
                    _ => {}
                }
            }
            Some(table)
        };
        for i in 2..order.len() {
            for j in 1..i {
                for k in 0..j {
                    let (a, b, c) = (order[i], order[j], order[k]);
                    if let Some(table) = table(a, b, c) {
                        return Some(self.add(Gate::Table(table, a, b, c)));
                    }
                }
            }
        }
        let mut found = None;
        'search: for i in 3..order.len() {
            for j in 2..i {
                for k in 1..j {
                    let three = cells([v(order[i]), v(order[j]), v(order[k])]);
                    let mixed = three.into_iter().filter(|cell| cell & on != 0 && cell & off != 0);
                    let mixed: Vec<Values> = mixed.collect();
                    for l in 0..k {
                        let w = v(order[l]);
                        // One more of four inputs may be among the three.
                        let four = [order[i], order[j], order[k], order[l]];
                        let apart = |cell: Values| cell & on == 0 || cell & off == 0;
                        if mixed.iter().all(|cell| apart(cell & w) && apart(cell & !w)) {
                            for d in 0..4 {
                                let mut inner = four.to_vec();
                                let outer = inner.swap_remove(d);
                                for again in inner.clone() {
                                    let inner = [inner[0], inner[1], inner[2]];
                                    found = self.two_tables(inner, [outer, again], on, off);
                                    if found.is_some() {
                                        break 'search;
                                    }
                                }
                            }
                        }
                        for m in 0..l {
                            let x = v(order[m]);
                            let all = mixed.iter().all(|cell| {
                                let (set, clear) = (cell & w, cell & !w);
                                apart(set & x)
                                    && apart(set & !x)
                                    && apart(clear & x)
                                    && apart(clear & !x)
                            });
                            if !all {
                                continue;
                            }
                            let five = [order[i], order[j], order[k], order[l], order[m]];
                            for d in 0..5 {
                                for e in 0..d {
                                    let mut inner = five.to_vec();
                                    let outer = [inner.remove(d), inner.remove(e)];
                                    let inner = [inner[0], inner[1], inner[2]];
                                    found = self.two_tables(inner, outer, on, off);
                                    if found.is_some() {
                                        break 'search;
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        let (inner, outer) = found?;
        let inner = self.add(inner);
        let Gate::Table(table, _, d, e) = outer else { return None };
        Some(self.add(Gate::Table(table, inner, d, e)))
    }

    /// A gate over `inner` and a gate over that (first, here named 0) and `outer`, that are one
    /// where `on` is and zero where `off` is.
    fn two_tables(
        &self,
        inner: [usize; 3],
        outer: [usize; 2],
        on: Values,
        off: Values,
    ) -> Option<(Gate, Gate)> {
        let cells = cells(inner.map(|signal| self.values[signal]));
        let [d, e] = outer.map(|signal| self.values[signal]);
        let quarters = [!d & !e, !d & e, d & !e, d & e];
        // Two cells that differ in a quarter must get different values from the inner gate.
        let mut differ = [0_u8; 8];
        for quarter in quarters {
            let (mut ones, mut zeros) = (0_u8, 0_u8);
            for (i, cell) in cells.iter().enumerate() {
                let (is_on, is_off) = (cell & quarter & on != 0, cell & quarter & off != 0);
                if is_on && is_off {
                    return None;
                }
                ones |= u8::from(is_on) << i;
                zeros |= u8::from(is_off) << i;
            }
            for (i, differ) in differ.iter_mut().enumerate() {
                if ones >> i & 1 == 1 {
                    *differ |= zeros;
                }
                if zeros >> i & 1 == 1 {
                    *differ |= ones;
                }
            }
        }
        let (mut colored, mut table) = (0_u8, 0_u8);
        for start in 0..8 {
            let mut open: Vec<(usize, bool)> = vec![(start, false)];
            if colored >> start & 1 == 1 {
                continue;
            }
            while let Some((cell, value)) = open.pop() {
                if colored >> cell & 1 == 1 {
                    if (table >> cell & 1 == 1) != value {
                        return None;
                    }
                    continue;
                }
                colored |= 1 << cell;
                table |= u8::from(value) << cell;
                open.extend((0..8).filter(|i| differ[cell] >> i & 1 == 1).map(|i| (i, !value)));
            }
        }
        let ones = (0..8).filter(|i| table >> i & 1 == 1).fold(0, |sum, i| sum | cells[i]);
        let mut outer_table = 0;
        for (i, cell) in self::cells([ones, d, e]).iter().enumerate() {
            match (cell & on != 0, cell & off != 0) {
                (true, true) => return None,
                (true, false) => outer_table |= 1 << i,
                _ => {}
            }
        }
        let [a, b, c] = inner;
        Some((Gate::Table(table, a, b, c), Gate::Table(outer_table, 0, outer[0], outer[1])))
    }
}

/// Where three signals have each of the eight values together, the first most significant.
fn cells([a, b, c]: [Values; 3]) -> [Values; 8] {
    let (x, y, z, w) = (!a & !b, !a & b, a & !b, a & b);
    [x & !c, x & c, y & !c, y & c, z & !c, z & c, w & !c, w & c]
}
