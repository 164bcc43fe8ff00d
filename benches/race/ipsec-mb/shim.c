/* ESP packets for intel-ipsec-mb, in place: SPI, sequence number, IV, ciphertext, ICV. */
#define NO_COMPAT_IMB_API_053
#include <intel-ipsec-mb.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 8, JOBS = 64, TAG = 16 };
enum suite { CBC_SHA1, CBC_SHA256, GCM };
enum code { AUTO, AVX2, SSE };
enum how { ONE_BY_ONE, JOB_QUEUE, BURST, DIRECT };

struct key {
	enum suite suite;
	size_t cipher_len;
	DECLARE_ALIGNED(uint32_t enc[60], 16);
	DECLARE_ALIGNED(uint32_t dec[60], 16);
	DECLARE_ALIGNED(uint8_t inner[32], 16);
	DECLARE_ALIGNED(uint8_t outer[32], 16);
	DECLARE_ALIGNED(struct gcm_key_data gcm, 64);
	uint8_t salt[4];
};

struct packet {
	const struct key *key;
	uint8_t *start;
	size_t len;
};

const char *race_mb_version(void) { return imb_get_version_str(); }

/* A manager with the code that the library picks, with that for AVX2, or with that for SSE and SHA-NI. */
IMB_MGR *race_mb_manager(int code)
{
	IMB_MGR *mgr = alloc_mb_mgr(0);
	if (!mgr)
		return NULL;
	if (code == SSE)
		init_mb_mgr_sse(mgr);
	else if (code == AVX2)
		init_mb_mgr_avx2(mgr);
	else
		init_mb_mgr_auto(mgr, NULL);
	if (imb_get_errno(mgr)) {
		free_mb_mgr(mgr);
		return NULL;
	}
	return mgr;
}

void race_mb_manager_free(IMB_MGR *mgr) { free_mb_mgr(mgr); }

static void hmac_state(IMB_MGR *mgr, enum suite suite, const uint8_t *mac, size_t len, uint8_t pad, uint8_t *out)
{
	uint8_t block[64];
	memset(block, pad, sizeof block);
	for (size_t i = 0; i < len; i++)
		block[i] ^= mac[i];
	if (suite == CBC_SHA1)
		IMB_SHA1_ONE_BLOCK(mgr, block, out);
	else
		IMB_SHA256_ONE_BLOCK(mgr, block, out);
}

/* `mac` is the integrity key, at most 64 octets; for GCM, the salt. */
struct key *race_mb_key(IMB_MGR *mgr, int suite, const uint8_t *cipher, size_t cipher_len, const uint8_t *mac, size_t mac_len)
{
	struct key *key = aligned_alloc(64, (sizeof *key + 63) & ~(size_t)63);
	if (!key)
		return NULL;
	memset(key, 0, sizeof *key);
	key->suite = suite;
	key->cipher_len = cipher_len;
	if (suite == GCM) {
		memcpy(key->salt, mac, sizeof key->salt);
		if (cipher_len == 32)
			IMB_AES256_GCM_PRE(mgr, cipher, &key->gcm);
		else
			IMB_AES128_GCM_PRE(mgr, cipher, &key->gcm);
		return key;
	}
	if (cipher_len == 32)
		IMB_AES_KEYEXP_256(mgr, cipher, key->enc, key->dec);
	else
		IMB_AES_KEYEXP_128(mgr, cipher, key->enc, key->dec);
	hmac_state(mgr, key->suite, mac, mac_len, 0x36, key->inner);
	hmac_state(mgr, key->suite, mac, mac_len, 0x5c, key->outer);
	return key;
}

void race_mb_key_free(struct key *key) { free(key); }

struct shape {
	size_t front, data, icv;
};

static struct shape shape_of(const struct packet *p)
{
	size_t front = HEADER + (p->key->suite == GCM ? 8 : 16);
	size_t icv = p->key->suite == CBC_SHA1 ? 12 : 16;
	return (struct shape){ front, p->len - front - icv, icv };
}

static inline void nonce_of(const struct packet *p, uint8_t *nonce)
{
	memcpy(nonce, p->key->salt, 4);
	memcpy(nonce + 4, p->start + HEADER, 8);
}

static inline void fill(IMB_JOB *job, const struct packet *p, int open, uint8_t *nonce, uint8_t *tag)
{
	const struct key *key = p->key;
	struct shape s = shape_of(p);

	job->cipher_direction = open ? IMB_DIR_DECRYPT : IMB_DIR_ENCRYPT;
	job->chain_order = open ? IMB_ORDER_HASH_CIPHER : IMB_ORDER_CIPHER_HASH;
	job->src = p->start;
	job->dst = p->start + s.front;
	job->cipher_start_src_offset_in_bytes = s.front;
	job->msg_len_to_cipher_in_bytes = s.data;
	job->auth_tag_output = open ? tag : p->start + s.front + s.data;
	job->auth_tag_output_len_in_bytes = s.icv;
	job->key_len_in_bytes = key->cipher_len;
	if (key->suite == GCM) {
		nonce_of(p, nonce);
		job->cipher_mode = IMB_CIPHER_GCM;
		job->hash_alg = IMB_AUTH_AES_GMAC;
		job->enc_keys = job->dec_keys = &key->gcm;
		job->iv = nonce;
		job->iv_len_in_bytes = 12;
		job->u.GCM.aad = p->start;
		job->u.GCM.aad_len_in_bytes = HEADER;
		job->hash_start_src_offset_in_bytes = s.front;
		job->msg_len_to_hash_in_bytes = s.data;
		return;
	}
	job->cipher_mode = IMB_CIPHER_CBC;
	job->enc_keys = key->enc;
	job->dec_keys = key->dec;
	job->iv = p->start + HEADER;
	job->iv_len_in_bytes = 16;
	job->hash_alg = key->suite == CBC_SHA1 ? IMB_AUTH_HMAC_SHA_1 : IMB_AUTH_HMAC_SHA_256;
	job->hash_start_src_offset_in_bytes = 0;
	job->msg_len_to_hash_in_bytes = s.front + s.data;
	job->u.HMAC._hashed_auth_key_xor_ipad = key->inner;
	job->u.HMAC._hashed_auth_key_xor_opad = key->outer;
}

static void gcm(IMB_MGR *mgr, const struct packet *p, int open, uint8_t *nonce, uint8_t *tag)
{
	struct gcm_context_data context;
	struct shape s = shape_of(p);
	uint8_t *data = p->start + s.front, *icv = data + s.data;

	nonce_of(p, nonce);
	if (p->key->cipher_len == 32 && open)
		IMB_AES256_GCM_DEC(mgr, &p->key->gcm, &context, data, data, s.data, nonce, p->start, HEADER, tag, TAG);
	else if (p->key->cipher_len == 32)
		IMB_AES256_GCM_ENC(mgr, &p->key->gcm, &context, data, data, s.data, nonce, p->start, HEADER, icv, TAG);
	else if (open)
		IMB_AES128_GCM_DEC(mgr, &p->key->gcm, &context, data, data, s.data, nonce, p->start, HEADER, tag, TAG);
	else
		IMB_AES128_GCM_ENC(mgr, &p->key->gcm, &context, data, data, s.data, nonce, p->start, HEADER, icv, TAG);
}

/* How many of at most JOBS packets were sealed, or were authentic and are open. */
size_t race_mb_run(IMB_MGR *mgr, const struct packet *packets, size_t count, int open, int how)
{
	uint8_t nonces[JOBS][16], tags[JOBS][TAG];
	IMB_JOB *burst[JOBS], *job;
	size_t done = 0, wrong = 0;

	if (count > JOBS)
		return 0;
	if (how == DIRECT) {
		for (size_t i = 0; i < count; i++)
			gcm(mgr, &packets[i], open, nonces[i], tags[i]);
		done = count;
	} else if (how == BURST) {
		if (IMB_GET_NEXT_BURST(mgr, count, burst) != count)
			return 0;
		for (size_t i = 0; i < count; i++)
			fill(burst[i], &packets[i], open, nonces[i], tags[i]);
		done = IMB_SUBMIT_BURST_NOCHECK(mgr, count, burst);
		while (done < count) {
			uint32_t more = IMB_FLUSH_BURST(mgr, count - done, burst);
			if (!more)
				break;
			done += more;
		}
	} else {
		for (size_t i = 0; i < count; i++) {
			fill(IMB_GET_NEXT_JOB(mgr), &packets[i], open, nonces[i], tags[i]);
			for (job = IMB_SUBMIT_JOB_NOCHECK(mgr); job; job = IMB_GET_COMPLETED_JOB(mgr))
				done += job->status == IMB_STATUS_COMPLETED;
			if (how == ONE_BY_ONE)
				while ((job = IMB_FLUSH_JOB(mgr)))
					done += job->status == IMB_STATUS_COMPLETED;
		}
		while ((job = IMB_FLUSH_JOB(mgr)))
			done += job->status == IMB_STATUS_COMPLETED;
	}
	for (size_t i = 0; open && i < count; i++) {
		struct shape s = shape_of(&packets[i]);
		const uint8_t *icv = packets[i].start + s.front + s.data;
		uint8_t differs = 0;
		for (size_t k = 0; k < s.icv; k++)
			differs |= icv[k] ^ tags[i][k];
		wrong += differs != 0;
	}
	return done - wrong;
}
