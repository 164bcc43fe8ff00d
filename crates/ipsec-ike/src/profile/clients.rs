//! The table. Each client with its sources: trackers are named as `owner/repository#number`.

use vpn_core::crypto::DhGroup as Group;

use super::ClientPort;
use super::ClientProfile;
use super::Mode;
use crate::AuthAlgorithm as Auth;
use crate::EncryptionAlgorithm;
use crate::EspTransform;
use crate::HashId;
use crate::IdType;
use crate::proposal::EspAlgorithms;
use crate::proposal::IkeAlgorithms;
use crate::proposal::Lifetime;
use crate::proposal::Preset;
use crate::vendor::Fingerprint;
use crate::vendor::octets;

const fn aes(bits: u16, hash: HashId, group: Group) -> IkeAlgorithms {
    let encryption = EncryptionAlgorithm::AES_CBC;
    IkeAlgorithms { encryption, key_length: Some(bits), hash, group }
}

const fn triple_des(hash: HashId, group: Group) -> IkeAlgorithms {
    let encryption = EncryptionAlgorithm::TRIPLE_DES_CBC;
    IkeAlgorithms { encryption, key_length: None, hash, group }
}

const fn des(hash: HashId, group: Group) -> IkeAlgorithms {
    IkeAlgorithms { encryption: EncryptionAlgorithm::DES_CBC, key_length: None, hash, group }
}

const fn esp_aes(bits: u16, auth: Auth) -> EspAlgorithms {
    EspAlgorithms { transform: EspTransform::AES_CBC, key_length: Some(bits), auth: Some(auth) }
}

const fn esp_gcm(bits: u16) -> EspAlgorithms {
    EspAlgorithms { transform: EspTransform::AES_GCM_16, key_length: Some(bits), auth: None }
}

const fn esp_triple_des(auth: Auth) -> EspAlgorithms {
    EspAlgorithms { transform: EspTransform::TRIPLE_DES, key_length: None, auth: Some(auth) }
}

const fn esp_des(auth: Auth) -> EspAlgorithms {
    EspAlgorithms { transform: EspTransform::DES, key_length: None, auth: Some(auth) }
}

const fn esp_null(auth: Auth) -> EspAlgorithms {
    EspAlgorithms { transform: EspTransform::NULL, key_length: None, auth: Some(auth) }
}

/// Windows 10. MS-L2TPIE §2.2.1.1, Microsoft's KB 325158, logs in xelerance/xl2tpd#219 and
/// libreswan/libreswan#427.
pub const WINDOWS_10: ClientProfile = ClientProfile {
    name: "Windows 10",
    mode: Mode::Main,
    ike: &[
        aes(256, HashId::SHA, Group::ECP_384),
        aes(128, HashId::SHA, Group::ECP_256),
        aes(256, HashId::SHA, Group::MODP_2048),
        triple_des(HashId::SHA, Group::MODP_2048),
        triple_des(HashId::SHA, Group::MODP_1024),
    ],
    ike_lifetime: Lifetime::seconds(28_800),
    esp: &[
        esp_aes(256, Auth::HMAC_SHA),
        esp_aes(128, Auth::HMAC_SHA),
        esp_triple_des(Auth::HMAC_SHA),
        esp_des(Auth::HMAC_SHA),
        esp_null(Auth::HMAC_SHA),
    ],
    esp_lifetime: Lifetime::seconds(3_600).with_kilobytes(250_000),
    pfs: None,
    vendor_ids: &[
        octets::MS_IKE_1,
        octets::MS_NT5_9,
        octets::RFC_3947,
        octets::DRAFT_02_NEWLINE,
        octets::FRAGMENTATION,
        octets::MS_DISCOVERY,
        octets::MS_INITIAL_CONTACT,
        octets::MS_CGA,
    ],
    identity: IdType::IPV4_ADDR,
    port: ClientPort::L2tp,
    nat_oa: 2,
    dpd: false,
    fragmentation: true,
    preset: Preset::Compatible,
    fingerprint: Fingerprint::Windows { version: 9 },
};

/// Windows 7: as Windows 10, with its own version.
pub const WINDOWS_7: ClientProfile = ClientProfile {
    name: "Windows 7",
    vendor_ids: &[
        octets::MS_IKE_1,
        octets::MS_NT5_8,
        octets::RFC_3947,
        octets::DRAFT_02_NEWLINE,
        octets::FRAGMENTATION,
        octets::MS_DISCOVERY,
        octets::MS_INITIAL_CONTACT,
        octets::MS_CGA,
    ],
    fingerprint: Fingerprint::Windows { version: 8 },
    ..WINDOWS_10
};

/// Windows 11: as Windows 10.
pub const WINDOWS_11: ClientProfile = ClientProfile { name: "Windows 11", ..WINDOWS_10 };

/// macOS and iOS. Apple's ppp, `ipsec_utils.c`, and ipsec, `vendorid.c`; log in
/// xelerance/Openswan#116.
pub const APPLE: ClientProfile = ClientProfile {
    name: "macOS and iOS",
    mode: Mode::Main,
    ike: &[
        aes(256, HashId::SHA2_256, Group::MODP_2048),
        aes(256, HashId::SHA, Group::MODP_2048),
        aes(256, HashId::MD5, Group::MODP_2048),
        aes(256, HashId::SHA2_512, Group::MODP_2048),
        aes(256, HashId::SHA2_256, Group::MODP_1536),
        aes(256, HashId::SHA, Group::MODP_1536),
        aes(256, HashId::MD5, Group::MODP_1536),
        aes(256, HashId::SHA2_256, Group::MODP_1024),
        aes(256, HashId::SHA, Group::MODP_1024),
        aes(256, HashId::MD5, Group::MODP_1024),
        aes(128, HashId::SHA, Group::MODP_1024),
        aes(128, HashId::MD5, Group::MODP_1024),
        triple_des(HashId::SHA, Group::MODP_1024),
        triple_des(HashId::MD5, Group::MODP_1024),
    ],
    ike_lifetime: Lifetime::seconds(3_600),
    esp: &[
        esp_aes(256, Auth::HMAC_SHA2_256),
        esp_aes(256, Auth::HMAC_SHA),
        esp_aes(256, Auth::HMAC_MD5),
        esp_aes(128, Auth::HMAC_SHA2_256),
        esp_aes(128, Auth::HMAC_SHA),
        esp_aes(128, Auth::HMAC_MD5),
        esp_triple_des(Auth::HMAC_SHA2_256),
        esp_triple_des(Auth::HMAC_SHA),
        esp_triple_des(Auth::HMAC_MD5),
    ],
    esp_lifetime: Lifetime::seconds(3_600),
    pfs: None,
    vendor_ids: &[
        octets::RFC_3947,
        octets::DRAFT_APPLE,
        octets::DRAFT_08,
        octets::DRAFT_07,
        octets::DRAFT_06,
        octets::DRAFT_05,
        octets::DRAFT_04,
        octets::DRAFT_03,
        octets::DRAFT_02,
        octets::DRAFT_02_NEWLINE,
        octets::FRAGMENTATION_MAIN,
        octets::DPD,
    ],
    identity: IdType::IPV4_ADDR,
    port: ClientPort::Ephemeral,
    nat_oa: 2,
    dpd: true,
    fragmentation: true,
    preset: Preset::Modern,
    fingerprint: Fingerprint::Apple,
};

/// macOS and iOS with a group name: aggressive mode, which can offer one group only.
pub const APPLE_GROUP_NAME: ClientProfile = ClientProfile {
    name: "macOS and iOS with a group name",
    mode: Mode::Aggressive,
    ike: &[
        aes(256, HashId::SHA2_256, Group::MODP_2048),
        aes(256, HashId::SHA, Group::MODP_2048),
        aes(256, HashId::MD5, Group::MODP_2048),
        aes(256, HashId::SHA2_512, Group::MODP_2048),
    ],
    identity: IdType::KEY_ID,
    ..APPLE
};

/// Android up to 11. AOSP's ipsec-tools, `setup.c`; logs in ftao/vpn-deploy-playbook#31 and
/// hwdsl2/setup-ipsec-vpn#315.
pub const ANDROID: ClientProfile = ClientProfile {
    name: "Android up to 11",
    mode: Mode::Main,
    ike: &[
        aes(256, HashId::SHA2_384, Group::MODP_1024),
        aes(256, HashId::SHA2_256, Group::MODP_1024),
        aes(256, HashId::SHA2_512, Group::MODP_1024),
        aes(256, HashId::SHA, Group::MODP_1024),
        aes(256, HashId::MD5, Group::MODP_1024),
        aes(128, HashId::SHA2_512, Group::MODP_1024),
        aes(128, HashId::SHA2_384, Group::MODP_1024),
        aes(128, HashId::SHA2_256, Group::MODP_1024),
        aes(128, HashId::SHA, Group::MODP_1024),
        aes(128, HashId::MD5, Group::MODP_1024),
        triple_des(HashId::SHA2_256, Group::MODP_1024),
        triple_des(HashId::SHA, Group::MODP_1024),
        triple_des(HashId::MD5, Group::MODP_1024),
        des(HashId::SHA, Group::MODP_1024),
        des(HashId::MD5, Group::MODP_1024),
    ],
    ike_lifetime: Lifetime::seconds(28_800),
    esp: &[
        esp_aes(256, Auth::HMAC_SHA2_512),
        esp_aes(256, Auth::HMAC_SHA2_384),
        esp_aes(256, Auth::HMAC_SHA),
        esp_aes(256, Auth::HMAC_SHA2_256),
        esp_aes(256, Auth::HMAC_MD5),
        esp_aes(128, Auth::HMAC_SHA2_512),
        esp_aes(128, Auth::HMAC_SHA2_384),
        esp_aes(128, Auth::HMAC_SHA),
        esp_aes(128, Auth::HMAC_SHA2_256),
        esp_aes(128, Auth::HMAC_MD5),
        esp_triple_des(Auth::HMAC_SHA2_512),
        esp_triple_des(Auth::HMAC_SHA2_384),
        esp_triple_des(Auth::HMAC_SHA),
        esp_triple_des(Auth::HMAC_SHA2_256),
        esp_triple_des(Auth::HMAC_MD5),
        esp_des(Auth::HMAC_SHA2_512),
        esp_des(Auth::HMAC_SHA2_384),
        esp_des(Auth::HMAC_SHA),
        esp_des(Auth::HMAC_SHA2_256),
        esp_des(Auth::HMAC_MD5),
    ],
    esp_lifetime: Lifetime::seconds(28_800),
    pfs: None,
    vendor_ids: &[
        octets::RFC_3947,
        octets::DRAFT_02,
        octets::DRAFT_02_NEWLINE,
        octets::DRAFT_00,
        octets::FRAGMENTATION_MAIN,
        octets::DPD,
    ],
    identity: IdType::IPV4_ADDR,
    port: ClientPort::Any,
    nat_oa: 2,
    dpd: true,
    fragmentation: true,
    preset: Preset::Legacy,
    fingerprint: Fingerprint::Android,
};

/// Android up to 11 with an IPsec identifier: aggressive mode.
pub const ANDROID_IDENTIFIER: ClientProfile = ClientProfile {
    name: "Android up to 11 with an IPsec identifier",
    mode: Mode::Aggressive,
    identity: IdType::KEY_ID,
    ..ANDROID
};

/// NetworkManager-l2tp with strongSwan. Its `nm-l2tp-service.c`; log in katalix/go-l2tp#8.
pub const NETWORK_MANAGER: ClientProfile = ClientProfile {
    name: "NetworkManager-l2tp",
    mode: Mode::Main,
    ike: &[
        aes(256, HashId::SHA2_256, Group::MODP_2048),
        aes(256, HashId::SHA2_256, Group::MODP_1536),
        aes(256, HashId::SHA2_256, Group::MODP_1024),
        aes(256, HashId::SHA, Group::MODP_2048),
        aes(256, HashId::SHA, Group::MODP_1536),
        aes(256, HashId::SHA, Group::MODP_1024),
        aes(256, HashId::SHA, Group::ECP_384),
        aes(128, HashId::SHA, Group::MODP_1024),
        aes(128, HashId::SHA, Group::ECP_256),
        triple_des(HashId::SHA, Group::MODP_2048),
        triple_des(HashId::SHA, Group::MODP_1024),
    ],
    ike_lifetime: Lifetime::seconds(10_800),
    esp: &[
        esp_aes(256, Auth::HMAC_SHA),
        esp_aes(128, Auth::HMAC_SHA),
        esp_triple_des(Auth::HMAC_SHA),
    ],
    esp_lifetime: Lifetime::seconds(3_600),
    pfs: None,
    vendor_ids: STRONGSWAN_VENDOR_IDS,
    identity: IdType::IPV4_ADDR,
    port: ClientPort::L2tp,
    nat_oa: 2,
    dpd: true,
    fragmentation: true,
    preset: Preset::Compatible,
    fingerprint: Fingerprint::StrongSwan,
};

/// As in the captures of our own laboratory.
const STRONGSWAN_VENDOR_IDS: &[&[u8]] = &[
    octets::XAUTH,
    octets::DPD,
    octets::FRAGMENTATION_MAIN,
    octets::RFC_3947,
    octets::DRAFT_02_NEWLINE,
];

/// strongSwan with the lists of its own that IKEv1 can say.
pub const STRONGSWAN: ClientProfile = ClientProfile {
    name: "strongSwan",
    ike: &[
        aes(128, HashId::SHA2_256, Group::CURVE_25519),
        aes(128, HashId::SHA2_256, Group::ECP_256),
        aes(256, HashId::SHA2_384, Group::ECP_384),
        aes(128, HashId::SHA2_256, Group::MODP_3072),
        aes(256, HashId::SHA2_512, Group::MODP_4096),
        aes(128, HashId::SHA2_256, Group::MODP_2048),
    ],
    ike_lifetime: Lifetime::seconds(15_840),
    esp: &[
        esp_gcm(128),
        esp_gcm(256),
        esp_aes(128, Auth::HMAC_SHA2_256),
        esp_aes(256, Auth::HMAC_SHA2_256),
        esp_aes(128, Auth::HMAC_SHA),
    ],
    esp_lifetime: Lifetime::seconds(3_960),
    preset: Preset::Modern,
    ..NETWORK_MANAGER
};

/// ChromeOS. shill's driver for L2TP/IPsec: strongSwan with a list of its own.
pub const CHROME_OS: ClientProfile = ClientProfile {
    name: "ChromeOS",
    ike: &[
        aes(128, HashId::SHA2_256, Group::MODP_3072),
        aes(128, HashId::SHA, Group::MODP_2048),
        triple_des(HashId::SHA, Group::MODP_1536),
        triple_des(HashId::SHA, Group::MODP_1024),
    ],
    esp: &[
        esp_gcm(128),
        esp_aes(128, Auth::HMAC_SHA2_256),
        esp_aes(128, Auth::HMAC_SHA),
        esp_triple_des(Auth::HMAC_SHA),
        esp_triple_des(Auth::HMAC_MD5),
    ],
    preset: Preset::Modern,
    fingerprint: Fingerprint::ChromeOs,
    ..NETWORK_MANAGER
};

/// MikroTik RouterOS with its default profile and proposal, which asks for a group of 1,024 bits in
/// quick mode. RouterOS manual, IPsec.
pub const MIKROTIK: ClientProfile = ClientProfile {
    name: "MikroTik RouterOS",
    mode: Mode::Main,
    ike: &[
        aes(128, HashId::SHA, Group::MODP_2048),
        aes(128, HashId::SHA, Group::MODP_1024),
        triple_des(HashId::SHA, Group::MODP_2048),
        triple_des(HashId::SHA, Group::MODP_1024),
    ],
    ike_lifetime: Lifetime::seconds(86_400),
    esp: &[
        esp_aes(256, Auth::HMAC_SHA),
        esp_aes(192, Auth::HMAC_SHA),
        esp_aes(128, Auth::HMAC_SHA),
    ],
    esp_lifetime: Lifetime::seconds(1_800),
    pfs: Some(Group::MODP_1024),
    vendor_ids: &[
        octets::RFC_3947,
        octets::DRAFT_03,
        octets::DRAFT_02,
        octets::DRAFT_02_NEWLINE,
        octets::DRAFT_00,
        octets::UNITY,
        octets::DPD,
    ],
    identity: IdType::IPV4_ADDR,
    port: ClientPort::L2tp,
    nat_oa: 2,
    dpd: true,
    fragmentation: false,
    preset: Preset::Compatible,
    fingerprint: Fingerprint::MikroTik,
};

/// Libreswan 5 with its default lists and `send-vendorid=yes`. Its `constants.c`.
pub const LIBRESWAN: ClientProfile = ClientProfile {
    name: "Libreswan",
    mode: Mode::Main,
    ike: &[
        aes(256, HashId::SHA2_256, Group::MODP_2048),
        aes(256, HashId::SHA2_512, Group::MODP_2048),
        aes(256, HashId::SHA, Group::MODP_2048),
        aes(256, HashId::SHA2_256, Group::MODP_1536),
        aes(256, HashId::SHA2_512, Group::MODP_1536),
        aes(256, HashId::SHA, Group::MODP_1536),
        aes(128, HashId::SHA2_256, Group::MODP_2048),
        aes(128, HashId::SHA2_512, Group::MODP_2048),
        aes(128, HashId::SHA, Group::MODP_2048),
        triple_des(HashId::SHA, Group::MODP_2048),
    ],
    ike_lifetime: Lifetime::seconds(28_800),
    esp: &[
        esp_gcm(256),
        esp_gcm(128),
        esp_aes(256, Auth::HMAC_SHA2_512),
        esp_aes(256, Auth::HMAC_SHA2_256),
        esp_aes(128, Auth::HMAC_SHA2_512),
        esp_aes(128, Auth::HMAC_SHA2_256),
        esp_aes(256, Auth::HMAC_SHA),
    ],
    esp_lifetime: Lifetime::seconds(28_800),
    pfs: None,
    vendor_ids: &[
        octets::LIBRESWAN_5,
        octets::DPD,
        octets::FRAGMENTATION,
        octets::RFC_3947,
        octets::DRAFT_03,
        octets::DRAFT_02_NEWLINE,
        octets::DRAFT_02,
    ],
    identity: IdType::IPV4_ADDR,
    port: ClientPort::L2tp,
    nat_oa: 2,
    dpd: true,
    fragmentation: true,
    preset: Preset::Modern,
    fingerprint: Fingerprint::Libreswan,
};
