//! The S-boxes of DES as circuits. Written by the example `des-sboxes`: do not edit.

use super::gates::Three;
use super::gates::Two;

// Two inputs a gate.

/// S1 in 63 gates.
#[inline(always)]
pub(super) fn s1<P: Two>([a1, a2, a3, a4, a5, a6]: [P; 6]) -> [P; 4] {
    let g1 = a1.xor(a6); let g2 = g1.not(); let g3 = g2.xor(a4);
    let g4 = g2.and_not(g3); let g5 = g4.xor(a6); let g6 = a3.and(g5);
    let g7 = g3.xor(g6); let g8 = a1.or(g5); let g9 = g8.or(a3);
    let g10 = a2.and(g9); let g11 = g7.xor(g10); let g12 = a6.or(g7);
    let g13 = a3.and_not(g4); let g14 = g12.xor(g13); let g15 = a3.and(g4);
    let g16 = g11.and_not(g15); let g17 = a2.and(g16); let g18 = g14.xor(g17);
    let g19 = a5.and(g18); let g20 = g11.xor(g19); let g21 = g16.and_not(g3);
    let g22 = a6.xor(g13); let g23 = g21.xor(g22); let g24 = g14.or(g22);
    let g25 = a4.xor(a1); let g26 = g24.xor(g25); let g27 = g26.and_not(a2);
    let g28 = g23.xor(g27); let g29 = g12.xor(g21); let g30 = g29.xor(g11);
    let g31 = g2.or(g25); let g32 = g16.xor(a3); let g33 = g31.xor(g32);
    let g34 = g33.and_not(a2); let g35 = g30.xor(g34); let g36 = a5.and(g35);
    let g37 = g28.xor(g36); let g38 = a4.and_not(g20); let g39 = g5.xor(g17);
    let g40 = g38.xor(g39); let g41 = a3.and(g7); let g42 = g40.xor(g41);
    let g43 = g24.xor(a6); let g44 = g43.or(g30); let g45 = g33.xor(g41);
    let g46 = g45.xor(g7); let g47 = a4.and(g46); let g48 = g44.xor(g47);
    let g49 = g48.and_not(a5); let g50 = g42.xor(g49); let g51 = g7.and_not(g31);
    let g52 = g51.xor(g35); let g53 = g37.and_not(g25); let g54 = a2.and(g53);
    let g55 = g52.xor(g54); let g56 = g37.and_not(g22); let g57 = g56.not();
    let g58 = g26.and(g50); let g59 = g58.xor(g35); let g60 = a1.and(g59);
    let g61 = g57.xor(g60); let g62 = g61.and_not(a5); let g63 = g55.xor(g62);
    [g50, g37, g20, g63]
}

/// S2 in 55 gates.
#[inline(always)]
pub(super) fn s2<P: Two>([a1, a2, a3, a4, a5, a6]: [P; 6]) -> [P; 4] {
    let g1 = a5.xor(a6); let g2 = g1.xor(a1); let g3 = a1.not();
    let g4 = a5.and_not(g3); let g5 = a6.and(g4); let g6 = g3.xor(g5);
    let g7 = a2.and(g6); let g8 = g2.xor(g7); let g9 = g6.and(a5);
    let g10 = g9.or(a2); let g11 = a4.and(g10); let g12 = g8.xor(g11);
    let g13 = g7.and_not(a6); let g14 = g6.xor(a1); let g15 = g13.xor(g14);
    let g16 = g15.and_not(a3); let g17 = g12.xor(g16); let g18 = g13.xor(a3);
    let g19 = g17.and(g2); let g20 = a4.or(g15); let g21 = g19.xor(g20);
    let g22 = g21.and_not(a5); let g23 = g18.xor(g22); let g24 = g21.and(a5);
    let g25 = a4.and_not(g10); let g26 = g24.xor(g25); let g27 = g22.xor(g17);
    let g28 = a1.and(g27); let g29 = g26.xor(g28); let g30 = g29.and_not(a2);
    let g31 = g23.xor(g30); let g32 = g10.and_not(g28); let g33 = g32.xor(g26);
    let g34 = g2.or(g11); let g35 = g34.xor(g22); let g36 = g35.and_not(a1);
    let g37 = g33.xor(g36); let g38 = g27.or(g1); let g39 = g27.and_not(g10);
    let g40 = g38.xor(g39); let g41 = g40.and_not(a3); let g42 = g37.xor(g41);
    let g43 = g6.and_not(g1); let g44 = g35.and_not(g43); let g45 = g44.and_not(a4);
    let g46 = g43.xor(g45); let g47 = g46.xor(a2); let g48 = g29.and(g12);
    let g49 = g48.not(); let g50 = g23.xor(g45); let g51 = g50.and_not(g39);
    let g52 = g51.and_not(a4); let g53 = g49.xor(g52); let g54 = g53.and_not(a3);
    let g55 = g47.xor(g54);
    [g17, g42, g55, g31]
}

/// S3 in 56 gates.
#[inline(always)]
pub(super) fn s3<P: Two>([a1, a2, a3, a4, a5, a6]: [P; 6]) -> [P; 4] {
    let g1 = a3.xor(a2); let g2 = a6.xor(a1); let g3 = g1.xor(g2);
    let g4 = a2.and_not(g1); let g5 = a6.and_not(g4); let g6 = a1.and(g5);
    let g7 = a1.xor(g6); let g8 = g7.and_not(a4); let g9 = g3.xor(g8);
    let g10 = a4.xor(a3); let g11 = a2.and_not(g3); let g12 = a1.and_not(g10);
    let g13 = g11.xor(g12); let g14 = a1.and(g13); let g15 = g10.xor(g14);
    let g16 = g15.and_not(a5); let g17 = g9.xor(g16); let g18 = a5.xor(a4);
    let g19 = g18.xor(g11); let g20 = g3.or(g16); let g21 = g20.xor(g4);
    let g22 = g21.and_not(a6); let g23 = g19.xor(g22); let g24 = g4.xor(g13);
    let g25 = g24.not(); let g26 = a3.and(g17); let g27 = g26.xor(g24);
    let g28 = g27.and_not(a4); let g29 = g25.xor(g28); let g30 = g29.and_not(a1);
    let g31 = g23.xor(g30); let g32 = g10.and_not(g13); let g33 = g5.and_not(g28);
    let g34 = g32.xor(g33); let g35 = g31.or(g11); let g36 = g35.and_not(a5);
    let g37 = g34.xor(g36); let g38 = g23.and_not(g17); let g39 = g20.and_not(g38);
    let g40 = g21.xor(g35); let g41 = g40.and_not(g32); let g42 = a6.and(g41);
    let g43 = g39.xor(g42); let g44 = a1.and(g43); let g45 = g37.xor(g44);
    let g46 = g10.and(a5); let g47 = g46.xor(g3); let g48 = g30.and_not(g35);
    let g49 = a2.and(g48); let g50 = g47.xor(g49); let g51 = g44.xor(g31);
    let g52 = g51.xor(g12); let g53 = a4.and(g52); let g54 = a4.xor(g53);
    let g55 = a6.and(g54); let g56 = g50.xor(g55);
    [g31, g56, g45, g17]
}

/// S4 in 43 gates.
#[inline(always)]
pub(super) fn s4<P: Two>([a1, a2, a3, a4, a5, a6]: [P; 6]) -> [P; 4] {
    let g1 = a3.not(); let g2 = a4.and_not(a5); let g3 = g1.xor(g2);
    let g4 = a5.or(g1); let g5 = a1.and(g4); let g6 = g3.xor(g5);
    let g7 = a4.and(g1); let g8 = g7.not(); let g9 = a5.xor(g1);
    let g10 = g9.and_not(a4); let g11 = g10.and_not(a1); let g12 = g8.xor(g11);
    let g13 = a2.and(g12); let g14 = g6.xor(g13); let g15 = g4.xor(a2);
    let g16 = g15.xor(g6); let g17 = g15.and_not(g9); let g18 = g17.and_not(a4);
    let g19 = g16.xor(g18); let g20 = g14.or(g5); let g21 = g20.xor(g10);
    let g22 = a1.and(g21); let g23 = g19.xor(g22); let g24 = a6.and(g23);
    let g25 = g14.xor(g24); let g26 = g15.or(g14); let g27 = g10.xor(a1);
    let g28 = g26.xor(g27); let g29 = g2.and_not(g15); let g30 = g29.xor(g6);
    let g31 = a4.and(g30); let g32 = g28.xor(g31); let g33 = g30.and_not(g17);
    let g34 = g16.and_not(g7); let g35 = g33.xor(g34); let g36 = a3.and(g31);
    let g37 = g35.xor(g36); let g38 = a6.and(g37); let g39 = g32.xor(g38);
    let g40 = a6.xor(g25); let g41 = g40.xor(g23); let g42 = a6.xor(g39);
    let g43 = g42.xor(g37);
    [g39, g43, g41, g25]
}

/// S5 in 62 gates.
#[inline(always)]
pub(super) fn s5<P: Two>([a1, a2, a3, a4, a5, a6]: [P; 6]) -> [P; 4] {
    let g1 = a6.or(a3); let g2 = g1.xor(a1); let g3 = a6.and(a3);
    let g4 = g3.not(); let g5 = a4.and(g4); let g6 = g2.xor(g5);
    let g7 = a6.and(a1); let g8 = g7.xor(g4); let g9 = a1.and_not(g6);
    let g10 = g9.xor(g3); let g11 = a4.and(g10); let g12 = g8.xor(g11);
    let g13 = a5.and(g12); let g14 = g6.xor(g13); let g15 = a4.or(g10);
    let g16 = a2.and(g15); let g17 = g14.xor(g16); let g18 = a5.xor(g5);
    let g19 = g13.or(g14); let g20 = g18.xor(g19); let g21 = g2.xor(g19);
    let g22 = g1.or(g14); let g23 = g22.and_not(a6); let g24 = g21.xor(g23);
    let g25 = g24.and_not(a2); let g26 = g20.xor(g25); let g27 = g22.xor(a2);
    let g28 = g27.xor(g25); let g29 = g20.and(g16); let g30 = g18.xor(g12);
    let g31 = g29.xor(g30); let g32 = a6.and(g31); let g33 = g28.xor(g32);
    let g34 = g33.and_not(a4); let g35 = g26.xor(g34); let g36 = g15.xor(g18);
    let g37 = g12.and(g5); let g38 = g36.xor(g37); let g39 = g12.and_not(g10);
    let g40 = g39.or(a5); let g41 = a2.and(g40); let g42 = g38.xor(g41);
    let g43 = g14.and_not(a2); let g44 = g43.or(g30); let g45 = g24.xor(g33);
    let g46 = g5.and_not(g45); let g47 = g44.xor(g46); let g48 = g47.and_not(a1);
    let g49 = g42.xor(g48); let g50 = g7.and_not(g38); let g51 = g50.xor(g33);
    let g52 = g47.and_not(g8); let g53 = g52.and_not(a2); let g54 = g51.xor(g53);
    let g55 = g27.and_not(g31); let g56 = g55.xor(g41); let g57 = g35.and_not(g36);
    let g58 = g57.xor(g6); let g59 = a3.and(g58); let g60 = g56.xor(g59);
    let g61 = g60.and_not(a6); let g62 = g54.xor(g61);
    [g35, g17, g49, g62]
}

/// S6 in 59 gates.
#[inline(always)]
pub(super) fn s6<P: Two>([a1, a2, a3, a4, a5, a6]: [P; 6]) -> [P; 4] {
    let g1 = a2.and_not(a3); let g2 = a1.xor(a4); let g3 = g1.xor(g2);
    let g4 = a4.and_not(g1); let g5 = g4.and_not(a1); let g6 = a2.and(g5);
    let g7 = a5.xor(g6); let g8 = a6.and(g7); let g9 = g3.xor(g8);
    let g10 = g2.and_not(a3); let g11 = g10.not(); let g12 = a3.xor(a1);
    let g13 = g12.or(g2); let g14 = a6.and(g13); let g15 = g11.xor(g14);
    let g16 = g9.and(g14); let g17 = a2.and(g16); let g18 = g15.xor(g17);
    let g19 = g18.and_not(a5); let g20 = g9.xor(g19); let g21 = g16.or(a5);
    let g22 = g21.xor(g2); let g23 = a1.and(a5); let g24 = g23.or(a3);
    let g25 = g24.and_not(a2); let g26 = g22.xor(g25); let g27 = g23.and_not(g1);
    let g28 = a4.and(g20); let g29 = g27.xor(g28); let g30 = g29.and_not(a6);
    let g31 = g26.xor(g30); let g32 = a5.xor(g18); let g33 = g25.xor(g16);
    let g34 = g33.xor(a3); let g35 = a1.and(g34); let g36 = g32.xor(g35);
    let g37 = g32.and(g24); let g38 = a2.xor(a6); let g39 = g37.xor(g38);
    let g40 = a2.and(g39); let g41 = g40.xor(g1); let g42 = a1.and(g41);
    let g43 = g39.xor(g42); let g44 = g43.and_not(a4); let g45 = g36.xor(g44);
    let g46 = g43.or(g25); let g47 = g46.xor(g3); let g48 = g16.or(g47);
    let g49 = g48.xor(g43); let g50 = a5.and(g49); let g51 = g47.xor(g50);
    let g52 = a1.and_not(g43); let g53 = g52.or(g24); let g54 = g40.xor(g35);
    let g55 = g54.or(g20); let g56 = a5.and(g55); let g57 = g53.xor(g56);
    let g58 = g57.and_not(a6); let g59 = g51.xor(g58);
    [g20, g45, g59, g31]
}

/// S7 in 59 gates.
#[inline(always)]
pub(super) fn s7<P: Two>([a1, a2, a3, a4, a5, a6]: [P; 6]) -> [P; 4] {
    let g1 = a5.xor(a4); let g2 = g1.not(); let g3 = a5.or(g2);
    let g4 = g3.xor(a2); let g5 = g4.and_not(a3); let g6 = g2.xor(g5);
    let g7 = g4.and_not(g3); let g8 = g7.not(); let g9 = a6.and(g8);
    let g10 = g6.xor(g9); let g11 = a3.xor(g1); let g12 = g11.and_not(g4);
    let g13 = a6.and(g12); let g14 = a1.xor(g13); let g15 = a1.and(g14);
    let g16 = g10.xor(g15); let g17 = a6.xor(g5); let g18 = g10.and_not(a1);
    let g19 = g17.xor(g18); let g20 = g2.and(a1); let g21 = a2.and_not(g17);
    let g22 = g20.xor(g21); let g23 = g22.and_not(a4); let g24 = g19.xor(g23);
    let g25 = g21.and(a1); let g26 = g25.xor(a2); let g27 = a5.and(g17);
    let g28 = a1.and_not(a2); let g29 = g27.xor(g28); let g30 = a4.and(g29);
    let g31 = g26.xor(g30); let g32 = a3.and(g31); let g33 = g24.xor(g32);
    let g34 = g8.xor(g16); let g35 = g27.or(g12); let g36 = g34.xor(g35);
    let g37 = g35.xor(g31); let g38 = g3.and_not(g37); let g39 = g38.and_not(a1);
    let g40 = g36.xor(g39); let g41 = g14.and_not(g1); let g42 = g33.xor(g28);
    let g43 = g41.xor(g42); let g44 = g32.xor(g2); let g45 = g44.and_not(g41);
    let g46 = g45.and_not(a5); let g47 = g43.xor(g46); let g48 = a6.and(g47);
    let g49 = g40.xor(g48); let g50 = g34.xor(g33); let g51 = g50.xor(g40);
    let g52 = g5.not(); let g53 = g52.and_not(a4); let g54 = g51.xor(g53);
    let g55 = g47.or(g22); let g56 = a6.and_not(g16); let g57 = g55.xor(g56);
    let g58 = a6.and(g57); let g59 = g54.xor(g58);
    [g49, g33, g59, g16]
}

/// S8 in 57 gates.
#[inline(always)]
pub(super) fn s8<P: Two>([a1, a2, a3, a4, a5, a6]: [P; 6]) -> [P; 4] {
    let g1 = a3.xor(a1); let g2 = g1.and_not(a3); let g3 = g2.or(a2);
    let g4 = g3.and_not(a5); let g5 = g1.xor(g4); let g6 = a2.xor(a5);
    let g7 = g6.not(); let g8 = g4.and_not(a1); let g9 = g7.xor(g8);
    let g10 = g9.and_not(a4); let g11 = g5.xor(g10); let g12 = g5.or(a5);
    let g13 = g3.or(a3); let g14 = g12.xor(g13); let g15 = g12.xor(a2);
    let g16 = g9.or(g3); let g17 = g15.xor(g16); let g18 = a4.and(g17);
    let g19 = g14.xor(g18); let g20 = a6.and(g19); let g21 = g11.xor(g20);
    let g22 = g3.and(g10); let g23 = g22.xor(g19); let g24 = g2.and_not(g4);
    let g25 = g24.not(); let g26 = g25.and_not(a6); let g27 = g23.xor(g26);
    let g28 = a1.and_not(a6); let g29 = g3.and_not(g28); let g30 = g5.and_not(a5);
    let g31 = g29.xor(g30); let g32 = a4.and(g31); let g33 = g27.xor(g32);
    let g34 = g28.xor(g17); let g35 = g34.xor(a4); let g36 = g33.xor(a3);
    let g37 = g36.or(g21); let g38 = a2.and(g37); let g39 = g35.xor(g38);
    let g40 = g10.and_not(g28); let g41 = g40.xor(g3); let g42 = a6.xor(g38);
    let g43 = g42.xor(g20); let g44 = a2.and(g43); let g45 = g41.xor(g44);
    let g46 = g45.and_not(a5); let g47 = g39.xor(g46); let g48 = g11.not();
    let g49 = g27.and(g14); let g50 = g10.or(g47); let g51 = g49.xor(g50);
    let g52 = g9.and(g47); let g53 = g52.xor(g2); let g54 = a2.and(g53);
    let g55 = g51.xor(g54); let g56 = g55.and_not(a6); let g57 = g48.xor(g56);
    [g57, g33, g47, g21]
}

// Three inputs a gate, each any function: `vpternlog`.

/// S1 in 30 gates.
#[inline(always)]
pub(super) fn t1<P: Three>([a1, a2, a3, a4, a5, a6]: [P; 6]) -> [P; 4] {
    let g1 = a1.table::<0x68>(a6, a5); let g2 = g1.table::<0x34>(a4, a1); let g3 = a1.table::<0x7c>(a5, a4);
    let g4 = g3.table::<0x9a>(g1, a4); let g5 = a3.table::<0xca>(g4, g2); let g6 = a6.table::<0x42>(g3, g2);
    let g7 = g6.table::<0x07>(g1, a1); let g8 = a6.table::<0x06>(g3, a1); let g9 = g8.table::<0x16>(g7, a6);
    let g10 = a3.table::<0xca>(g7, g9); let g11 = a2.table::<0xca>(g10, g5); let g12 = a4.table::<0x92>(g6, a1);
    let g13 = g12.table::<0x1b>(a6, g10); let g14 = a2.table::<0xca>(g12, g13); let g15 = a5.table::<0xf2>(a1, a2);
    let g16 = g15.table::<0x56>(g5, g14); let g17 = a3.table::<0xca>(g14, g16); let g18 = g13.table::<0x46>(g17, g7);
    let g19 = g18.table::<0x61>(g9, a4); let g20 = a2.table::<0x94>(a4, g7); let g21 = g20.table::<0x96>(g9, g8);
    let g22 = a5.table::<0xca>(g21, g19); let g23 = g13.table::<0x94>(a2, g8); let g24 = g23.table::<0x5e>(g20, g1);
    let g25 = a3.table::<0xca>(g22, g24); let g26 = a3.table::<0xb2>(a2, g12); let g27 = g26.table::<0x96>(g21, g1);
    let g28 = g11.table::<0x2e>(g24, g25); let g29 = g28.table::<0x96>(a3, g4); let g30 = a6.table::<0xca>(g27, g29);
    [g25, g30, g17, g11]
}

/// S2 in 28 gates.
#[inline(always)]
pub(super) fn t2<P: Three>([a1, a2, a3, a4, a5, a6]: [P; 6]) -> [P; 4] {
    let g1 = a3.table::<0x64>(a6, a2); let g2 = g1.table::<0x96>(a4, a3); let g3 = a2.table::<0x64>(a6, g2);
    let g4 = g3.table::<0xc3>(a3, a2); let g5 = a1.table::<0xca>(g4, g2); let g6 = g5.table::<0x47>(a3, g2);
    let g7 = a1.table::<0x69>(g2, a4); let g8 = a2.table::<0xca>(g6, g7); let g9 = a5.table::<0xca>(g5, g8);
    let g10 = a5.table::<0x69>(a4, a1); let g11 = a4.table::<0x56>(a5, g7); let g12 = a3.table::<0xca>(g10, g11);
    let g13 = g9.table::<0xce>(g4, a1); let g14 = g13.table::<0x6c>(g10, a2); let g15 = a6.table::<0xca>(g12, g14);
    let g16 = a4.table::<0x88>(g7, g13); let g17 = g16.table::<0x56>(g1, a4); let g18 = g6.table::<0xd2>(g14, g17);
    let g19 = g18.table::<0xd1>(a6, g14); let g20 = a5.table::<0xca>(g19, g17); let g21 = g17.table::<0x2c>(g10, a1);
    let g22 = g21.table::<0x4b>(g20, g13); let g23 = a2.table::<0xca>(g22, g20); let g24 = a2.table::<0x94>(a5, g18);
    let g25 = g24.table::<0x16>(g7, g23); let g26 = g23.table::<0x92>(a2, g12); let g27 = g26.table::<0xd6>(g5, g22);
    let g28 = a1.table::<0xca>(g25, g27);
    [g9, g15, g28, g23]
}

/// S3 in 28 gates.
#[inline(always)]
pub(super) fn t3<P: Three>([a1, a2, a3, a4, a5, a6]: [P; 6]) -> [P; 4] {
    let g1 = a4.table::<0x69>(a6, a5); let g2 = a2.table::<0xda>(a4, a6); let g3 = g2.table::<0x3e>(g1, a4);
    let g4 = a1.table::<0xca>(g1, g3); let g5 = a1.table::<0x46>(a5, g2); let g6 = g5.table::<0x29>(g1, a1);
    let g7 = a1.table::<0x1d>(g1, g4); let g8 = a2.table::<0xca>(g7, g6); let g9 = a3.table::<0xca>(g8, g4);
    let g10 = a4.table::<0x4a>(a6, a5); let g11 = g10.table::<0x69>(g2, a1); let g12 = g2.table::<0x1a>(g8, a1);
    let g13 = g12.table::<0x78>(a4, g1); let g14 = a3.table::<0xca>(g11, g13); let g15 = a6.table::<0x74>(g14, g4);
    let g16 = g15.table::<0x78>(a1, a3); let g17 = a3.table::<0x93>(g16, g4); let g18 = a4.table::<0xca>(g16, g17);
    let g19 = a3.table::<0x96>(a1, g15); let g20 = g1.table::<0x87>(g14, a1); let g21 = a5.table::<0xca>(g19, g20);
    let g22 = a2.table::<0xca>(g18, g21); let g23 = g10.table::<0x6c>(g19, g11); let g24 = a3.table::<0xd2>(g22, g9);
    let g25 = a2.table::<0xca>(g23, g24); let g26 = a1.table::<0xa4>(g14, a2); let g27 = g26.table::<0x36>(g23, g9);
    let g28 = a5.table::<0xca>(g27, g25);
    [g9, g14, g28, g22]
}

/// S4 in 22 gates.
#[inline(always)]
pub(super) fn t4<P: Three>([a1, a2, a3, a4, a5, a6]: [P; 6]) -> [P; 4] {
    let g1 = a5.table::<0x93>(a2, a3); let g2 = a5.table::<0xb8>(a3, a2); let g3 = a4.table::<0xca>(g2, g1);
    let g4 = a2.table::<0x64>(a4, a5); let g5 = g4.table::<0xb4>(a3, a2); let g6 = a1.table::<0xca>(g3, g5);
    let g7 = a2.table::<0x1a>(a3, g5); let g8 = g7.table::<0x96>(g3, a4); let g9 = g3.table::<0x6b>(g8, a5);
    let g10 = a1.table::<0xca>(g8, g9); let g11 = a6.table::<0xca>(g6, g10); let g12 = g10.table::<0x92>(g1, a5);
    let g13 = g12.table::<0x69>(g6, g7); let g14 = a4.table::<0xe0>(g7, g6); let g15 = g14.table::<0x96>(a5, a1);
    let g16 = a3.table::<0xca>(g15, g13); let g17 = g7.table::<0x69>(g16, a5); let g18 = a5.table::<0xae>(g6, g7);
    let g19 = a1.table::<0xca>(g18, g17); let g20 = a6.table::<0xca>(g16, g19); let g21 = g10.table::<0xd1>(a6, g6);
    let g22 = a6.table::<0x3a>(g19, g16);
    [g20, g22, g11, g21]
}

/// S5 in 29 gates.
#[inline(always)]
pub(super) fn t5<P: Three>([a1, a2, a3, a4, a5, a6]: [P; 6]) -> [P; 4] {
    let g1 = a1.table::<0xb6>(a3, a5); let g2 = g1.table::<0x69>(a6, a2); let g3 = a5.table::<0x98>(a6, a3);
    let g4 = g3.table::<0xd3>(g2, a1); let g5 = g1.table::<0x42>(a1, a5); let g6 = g5.table::<0xa6>(g2, a1);
    let g7 = a2.table::<0xca>(g6, g4); let g8 = a4.table::<0xca>(g2, g7); let g9 = a1.table::<0x9e>(g3, a4);
    let g10 = g9.table::<0xd0>(g7, g8); let g11 = a4.table::<0x2c>(g2, g3); let g12 = g11.table::<0x4b>(g6, g3);
    let g13 = a5.table::<0xca>(g10, g12); let g14 = a6.table::<0xbc>(a4, a2); let g15 = g14.table::<0x68>(g5, a2);
    let g16 = g3.table::<0xb9>(g12, g2); let g17 = a5.table::<0xca>(g16, g15); let g18 = a3.table::<0xca>(g13, g17);
    let g19 = g15.table::<0x92>(g13, g4); let g20 = g7.table::<0xc6>(g9, g14); let g21 = a1.table::<0xca>(g20, g19);
    let g22 = g11.table::<0x46>(g21, a4); let g23 = g22.table::<0x3d>(g6, g10); let g24 = a2.table::<0xca>(g21, g23);
    let g25 = g14.table::<0x5c>(g16, g15); let g26 = g25.table::<0x49>(g7, g19); let g27 = g2.table::<0x38>(g20, g17);
    let g28 = g27.table::<0x3d>(a4, g26); let g29 = a5.table::<0xca>(g28, g26);
    [g29, g8, g24, g18]
}

/// S6 in 27 gates.
#[inline(always)]
pub(super) fn t6<P: Three>([a1, a2, a3, a4, a5, a6]: [P; 6]) -> [P; 4] {
    let g1 = a4.table::<0x69>(a1, a5); let g2 = a5.table::<0x63>(a2, g1); let g3 = a3.table::<0xca>(g1, g2);
    let g4 = g1.table::<0x8e>(a5, g2); let g5 = g4.table::<0x58>(a4, g1); let g6 = g3.table::<0xe6>(a1, a4);
    let g7 = g6.table::<0x56>(a5, g3); let g8 = a3.table::<0xca>(g5, g7); let g9 = a6.table::<0xca>(g8, g3);
    let g10 = g2.table::<0x1e>(a4, g6); let g11 = g2.table::<0xf4>(a4, g5); let g12 = a6.table::<0xca>(g11, g10);
    let g13 = g1.table::<0xe4>(g12, g7); let g14 = g13.table::<0x49>(g5, g1); let g15 = g12.table::<0x86>(a1, a5);
    let g16 = a2.table::<0xca>(g14, g15); let g17 = a3.table::<0xca>(g12, g16); let g18 = g15.table::<0x4e>(g11, g5);
    let g19 = g18.table::<0x96>(g1, a6); let g20 = g10.table::<0x8a>(a2, g16); let g21 = g20.table::<0x95>(g5, g19);
    let g22 = a3.table::<0xca>(g19, g21); let g23 = g9.table::<0xd8>(g14, g18); let g24 = g23.table::<0x49>(g8, a3);
    let g25 = a2.table::<0xe4>(g15, a3); let g26 = g25.table::<0x69>(g1, a6); let g27 = a5.table::<0xca>(g24, g26);
    [g9, g22, g27, g17]
}

/// S7 in 29 gates.
#[inline(always)]
pub(super) fn t7<P: Three>([a1, a2, a3, a4, a5, a6]: [P; 6]) -> [P; 4] {
    let g1 = a4.table::<0x4a>(a6, a5); let g2 = a4.table::<0x96>(a5, a6); let g3 = a3.table::<0xca>(g1, g2);
    let g4 = a3.table::<0x50>(g3, a6); let g5 = g4.table::<0x56>(a4, g3); let g6 = a2.table::<0xca>(g3, g5);
    let g7 = g6.table::<0x1a>(g3, a6); let g8 = g7.table::<0xb4>(a2, a3); let g9 = a4.table::<0x96>(g4, a2);
    let g10 = a5.table::<0xca>(g8, g9); let g11 = a1.table::<0xca>(g10, g6); let g12 = a2.table::<0x98>(g10, a4);
    let g13 = g12.table::<0xe8>(g5, g10); let g14 = g5.table::<0xd1>(a2, a4); let g15 = a5.table::<0xca>(g13, g14);
    let g16 = a3.table::<0x7e>(a4, a6); let g17 = g16.table::<0x6a>(a2, g5); let g18 = a1.table::<0xca>(g17, g15);
    let g19 = a1.table::<0x96>(a6, a2); let g20 = g19.table::<0xda>(g12, g1); let g21 = a2.table::<0xd0>(g7, g16);
    let g22 = g21.table::<0x29>(g2, a1); let g23 = a3.table::<0xca>(g22, g20); let g24 = g23.table::<0x18>(g15, g6);
    let g25 = g24.table::<0x96>(g11, a4); let g26 = g11.table::<0x9e>(g25, a2); let g27 = a4.table::<0x83>(g19, g10);
    let g28 = a3.table::<0xca>(g26, g27); let g29 = a6.table::<0xca>(g28, g25);
    [g11, g18, g29, g23]
}

/// S8 in 27 gates.
#[inline(always)]
pub(super) fn t8<P: Three>([a1, a2, a3, a4, a5, a6]: [P; 6]) -> [P; 4] {
    let g1 = a4.table::<0x46>(a2, a5); let g2 = g1.table::<0x96>(a3, a4); let g3 = a3.table::<0xd2>(g2, a2);
    let g4 = g3.table::<0x56>(a5, g2); let g5 = a1.table::<0xca>(g4, g2); let g6 = a2.table::<0xe8>(a5, g5);
    let g7 = g6.table::<0x96>(g3, g1); let g8 = a2.table::<0x6e>(g7, g5); let g9 = g8.table::<0x4b>(g4, a5);
    let g10 = a1.table::<0xca>(g7, g9); let g11 = a6.table::<0xca>(g5, g10); let g12 = g6.table::<0x69>(a6, a4);
    let g13 = g6.table::<0x58>(g2, g8); let g14 = g13.table::<0x16>(g3, g12); let g15 = a5.table::<0x5c>(g2, g10);
    let g16 = a6.table::<0xca>(g15, g14); let g17 = a1.table::<0xca>(g16, g12); let g18 = g8.table::<0x40>(a6, g14);
    let g19 = g18.table::<0x0b>(g5, a6); let g20 = g11.table::<0x92>(g13, g10); let g21 = g20.table::<0xe2>(a6, g19);
    let g22 = a5.table::<0xca>(g19, g21); let g23 = g21.table::<0x96>(g15, a1); let g24 = g23.table::<0x9e>(g14, g20);
    let g25 = g11.table::<0x3e>(g22, g21); let g26 = g25.table::<0x69>(g17, g1); let g27 = a4.table::<0xca>(g26, g24);
    [g11, g17, g27, g22]
}
