#!/bin/sh
# Makes the certificates of the tests anew, all with new keys: needs OpenSSL 3. Only what the tests
# read stays; the keys of the authorities are thrown away.
set -eu
cd "$(dirname "$0")"
out=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir issued
: >index.txt
cat >ca.cnf <<'EOF'
[ca]
default_ca = authority
[authority]
database = index.txt
new_certs_dir = issued
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
EOF
LONG="20200101000000Z 21200101000000Z"

# key NAME ALGORITHM...: makes NAME.key
key() {
    name=$1; shift
    openssl genpkey -out "$name.key" "$@" 2>/dev/null
}
rsa() { key "$1" -algorithm RSA -pkeyopt rsa_keygen_bits:"${2:-2048}"; }

# sign NAME ISSUER "START END" DIGEST EXTENSIONS: makes NAME.pem; an issuer equal to NAME signs itself
sign() {
    name=$1 issuer=$2 dates=$3 digest=$4 extensions=$5
    printf '[extensions]\n%s\n' "$extensions" >"$name.ext"
    openssl req -new -config ca.cnf -key "$name.key" -subj "/CN=$name" -out "$name.csr"
    if [ "$issuer" = "$name" ]; then by="-selfsign -keyfile $name.key"; else by="-cert $issuer.pem -keyfile $issuer.key"; fi
    # shellcheck disable=SC2086
    openssl ca -batch -notext -config ca.cnf -in "$name.csr" -out "$name.pem" $by \
        -startdate "${dates% *}" -enddate "${dates#* }" -md "$digest" \
        -extfile "$name.ext" -extensions extensions 2>>log || { cat log >&2; exit 1; }
}
CA="basicConstraints=critical,CA:true
keyUsage=critical,keyCertSign,cRLSign"
LEAF="basicConstraints=CA:false
keyUsage=critical,digitalSignature"

rsa root
sign root root "$LONG" sha256 "$CA"
rsa stranger
sign stranger stranger "$LONG" sha256 "$CA"
rsa old-root
sign old-root old-root "20100101000000Z 20200101000000Z" sha256 "$CA"
key ec-root -algorithm EC -pkeyopt ec_paramgen_curve:P-256
sign ec-root ec-root "$LONG" sha256 "$CA"
key ec384-root -algorithm EC -pkeyopt ec_paramgen_curve:P-384
sign ec384-root ec384-root "$LONG" sha384 "$CA"
rsa weak-root 1024
sign weak-root weak-root "$LONG" sha256 "$CA"
# Trusted by mistake: no authority, and one that may not sign certificates.
rsa plain-root
sign plain-root plain-root "$LONG" sha256 "$LEAF"
rsa mute-root
sign mute-root mute-root "$LONG" sha256 "basicConstraints=critical,CA:true
keyUsage=critical,cRLSign"

rsa intermediate
sign intermediate root "$LONG" sha256 "$CA"
rsa lower
sign lower intermediate "$LONG" sha256 "$CA"
rsa short-path
sign short-path root "$LONG" sha256 "basicConstraints=critical,CA:true,pathlen:0
keyUsage=critical,keyCertSign"
rsa below-short-path
sign below-short-path short-path "$LONG" sha256 "$CA"
rsa not-ca
sign not-ca root "$LONG" sha256 "$LEAF"
rsa mute-ca
sign mute-ca root "$LONG" sha256 "basicConstraints=critical,CA:true
keyUsage=critical,digitalSignature"
rsa old-ca
sign old-ca root "20100101000000Z 20200101000000Z" sha256 "$CA"

# One key serves every leaf of ordinary kind: its certificates differ.
rsa leaf
leaf() {
    [ -e "$1.key" ] || cp leaf.key "$1.key"
    sign "$@"
}
leaf direct root "$LONG" sha256 "$LEAF
subjectAltName=DNS:vpn.example.com,DNS:*.example.net,email:User@example.com,IP:192.0.2.1,IP:2001:db8::1,URI:https://example.com/"
leaf nameless root "$LONG" sha256 "$LEAF"
leaf sha384 root "$LONG" sha384 "$LEAF"
leaf sha512 root "$LONG" sha512 "$LEAF"
leaf sha1 root "$LONG" sha1 "$LEAF"
leaf expired root "20100101000000Z 20200101000000Z" sha256 "$LEAF"
leaf brief root "20250101000000Z 20260101000000Z" sha256 "$LEAF"
leaf future root "21000101000000Z 21100101000000Z" sha256 "$LEAF"
leaf critical root "$LONG" sha256 "$LEAF
1.2.3.4=critical,DER:0500"
leaf uncritical root "$LONG" sha256 "$LEAF
1.2.3.4=DER:0500"
leaf nonrepudiation root "$LONG" sha256 "keyUsage=nonRepudiation"
leaf encipherment root "$LONG" sha256 "keyUsage=keyEncipherment"
leaf ike root "$LONG" sha256 "$LEAF
extendedKeyUsage=clientAuth,1.3.6.1.5.5.7.3.17"
leaf any root "$LONG" sha256 "$LEAF
extendedKeyUsage=anyExtendedKeyUsage"
leaf tls root "$LONG" sha256 "$LEAF
extendedKeyUsage=serverAuth,clientAuth"
leaf authority root "$LONG" sha256 "$CA"
leaf deep lower "$LONG" sha256 "$LEAF"
leaf under-short-path below-short-path "$LONG" sha256 "$LEAF"
leaf under-not-ca not-ca "$LONG" sha256 "$LEAF"
leaf under-mute-ca mute-ca "$LONG" sha256 "$LEAF"
leaf under-old-ca old-ca "$LONG" sha256 "$LEAF"
leaf under-old-root old-root "$LONG" sha256 "$LEAF"
leaf under-stranger stranger "$LONG" sha256 "$LEAF"
leaf under-weak-root weak-root "$LONG" sha256 "$LEAF"
leaf under-ec-root ec-root "$LONG" sha256 "$LEAF"
leaf under-ec384-root ec384-root "$LONG" sha384 "$LEAF"
rsa weak 1024
leaf weak root "$LONG" sha256 "$LEAF"
# A key that may sign with PSS only.
key pss -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048
leaf pss root "$LONG" sha256 "$LEAF"
key ecdsa -algorithm EC -pkeyopt ec_paramgen_curve:P-256
leaf ecdsa root "$LONG" sha256 "$LEAF"

rm -f "$out"/*.pem
cp ./*.pem "$out"
cp leaf.key "$out/leaf-pkcs8.pem"
openssl rsa -in leaf.key -traditional -out "$out/leaf-pkcs1.pem" 2>/dev/null
openssl pkcs8 -topk8 -in leaf.key -passout pass:secret -out "$out/leaf-encrypted.pem"
cp stranger.key "$out/other-key.pem"
cp ecdsa.key "$out/ecdsa-key.pem"
cp weak.key "$out/weak-key.pem"
# PKCS#1 v1.5, type 1, over 20 octets without a DigestInfo: what IKEv1 signs.
printf 'abcdefghijklmnopqrst' | openssl pkeyutl -sign -inkey leaf.key -pkeyopt rsa_padding_mode:pkcs1 -out "$out/signature.bin"
