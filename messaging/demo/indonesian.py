# One line of a dialogue is one line here.
# ruff: noqa: E501
# fmt: off
from .script import script

SCRIPTS = [
    script(
        "whatsapp", "Rina Kartika", "6d 08:40", "Rina Kartika",
        """
        C Pagi kak, pesanan saya BD-20425 kok belum sampai ya? Katanya 2 hari
        A +4 Pagi, Kak Rina. Saya cek dulu resinya ya.
        # pengiriman
        A +5 Paketnya tertahan di gudang Cikarang karena hujan dan jalan ditutup. Perkiraan sampai besok siang.
        C Oh gitu, oke deh. Bisa dititip ke satpam?
        A Bisa, sudah saya tulis di catatan kurir: titip satpam pos depan.
        C +1d Sudah sampai kak, makasih
        A +6 Sama-sama, Kak. Selamat menikmati kopinya!
        = resolved | sudah diterima
        """,
        agent="budi", queue="indonesia", category="support",
    ),
    script(
        "telegram", "Bayu Pratama", "6d 13:25", "Gagal masuk akun",
        """
        C min, saya ganti hp dan kode OTP masuknya ke nomor lama
        A +6 Halo Mas Bayu. Nomor lama masih aktif?
        # akun
        C udah hangus min
        A Baik, kita ganti nomornya. Tolong sebutkan barang di pesanan terakhir dan kota tujuannya.
        C kopi gayo 500 gram 2 bungkus, dikirim ke Malang
        A Cocok. Nomor baru yang mana?
        C yang ini aja min
        A +3 Sudah diganti. Silakan minta kode baru sekarang.
        C masuk min, mantap
        = resolved
        """,
        agent="budi", queue="indonesia",
    ),
    script(
        "website", "Putri Lestari", "5d 11:10", "Bagaimana cara lewati satu kiriman?",
        """
        C Halo, bulan ini kopi saya masih banyak. Bisa lewati satu kiriman?
        B Bisa. Buka Akun → Langganan → Lewati, paling lambat tanggal 5. Tidak ada tagihan untuk bulan yang dilewati. (Sumber: Jeda dan lewati)
        C Sudah tanggal 6 nih 😅
        B Setelah tanggal 5 perlu bantuan rekan kami. Saya teruskan ya.
        A +8 Halo Kak Putri, masih sempat: kotaknya belum dikemas. Sudah saya lewati untuk bulan ini.
        # langganan
        C Wah terima kasih banyak!
        = resolved | kiriman dilewati
        """,
        agent="budi", queue="indonesia",
    ),
    script(
        "whatsapp", "Dewi Anggraini", "5d 14:35", "Dewi Anggraini",
        """
        C Kak, saya pesan teh melati tapi yang datang teh hitam
        C [image] teh-salah.jpg | Ini yang datang
        A +5 Aduh, maaf ya Kak Dewi. Pesanan BD-20470, betul? Saya kirim teh melatinya hari ini.
        # salah kirim
        C Iya betul. Teh hitamnya saya kembalikan?
        A Tidak usah, Kak. Anggap hadiah dari kami.
        C Baik sekali, makasih kak 🙏
        = resolved | dikirim ulang
        """,
        agent="budi", queue="indonesia", category="support",
    ),
    script(
        "email", "Koperasi Tani Makmur", "5d 16:00", "Penawaran biji kopi hijau",
        """
        C Selamat sore. Kami koperasi di Garut dan punya 2 ton biji hijau panen baru, grade 1. Apakah Biji & Daun berminat mencoba sampelnya?
        A +3h Selamat sore, Bapak/Ibu. Terima kasih. Bagian pembelian kami ingin mencoba 500 gram. Boleh dikirim ke Jalan Kenanga 12, Bandung?
        # pemasok
        C +16h Sampel dikirim hari ini lewat kurir.
        N Diteruskan ke bagian pembelian. Uji cita rasa hari Kamis, hasilnya dikirim ke mereka hari Jumat.
        A +2h Terima kasih, sampelnya kami tunggu. Hasil uji cita rasa kami kirim hari Jumat.
        = waiting_for_customer | sampel dalam perjalanan
        """,
        agent="budi", queue="indonesia", category="sales",
    ),
    script(
        "whatsapp", "Agus Setiawan", "4d 08:55", "Agus Setiawan",
        """
        C Saya sudah transfer dari kemarin tapi status masih "menunggu pembayaran"
        A +7 Pagi Pak Agus, boleh kirim bukti transfernya?
        # pembayaran
        C [image] bukti-transfer.jpg
        A +9 Terima kasih. Nominalnya 250.000, sedangkan tagihannya 250.137 (dengan kode unik), jadi tidak terbaca otomatis. Sudah saya cocokkan manual.
        C Oh begitu. Jadi sudah lunas ya?
        A Sudah lunas, Pak. Pesanan dikirim sore ini.
        C Siap, terima kasih
        = closed | pembayaran dicocokkan
        """,
        agent="budi", queue="indonesia", category="billing",
    ),
    script(
        "api", "Kedai Senja", "4d 11:50", "Stok tidak sinkron dengan kasir kami",
        """
        C Sistem kasir kami menampilkan stok Toraja 12, tapi pesanan ditolak karena stok habis.
        A +22 Halo, stok di katalog diperbarui tiap 15 menit, jadi bisa berbeda sebentar. Untuk pesanan besar, mohon baca stok langsung sebelum memesan.
        # integrasi
        C Ada alamat API untuk stok langsung?
        A Ada: GET /stock/{kode}. Contohnya sudah kami kirim ke surel teknis Kedai Senja.
        C +5h Sudah jalan. Terima kasih!
        = closed | beres
        """,
        agent="budi", queue="indonesia",
    ),
    script(
        "whatsapp", "Siti Rahmawati", "4d 15:15", "Siti Rahmawati",
        """
        C kak kopi arabika yang tidak terlalu asam yang mana ya
        B Untuk rasa yang tidak asam, coba Mandailing atau Toraja dengan sangrai gelap. (Sumber: Memilih kopi)
        C lambung saya sensitif hehe
        B Saya tidak bisa memberi saran kesehatan. Pilihan rendah kafein kami adalah Gayo decaf. (Sumber: Memilih kopi)
        C oke saya coba yg decaf
        = resolved | dijawab asisten
        """,
    ),
    script(
        "telegram", "Fajar Nugroho", "3d 09:10", "Minta uang kembali",
        """
        C Kopinya apek. Saya minta uang kembali, bukan barang baru.
        A +10 Halo Mas Fajar, maaf atas pengalamannya. Boleh foto kemasan bagian bawah, tanggal sangrainya?
        # refund, kualitas
        C [image] tanggal-sangrai.jpg
        A +6 Terima kasih. Kemasannya bocor di segel, itu kesalahan kami. Uangnya kami kembalikan penuh, 98.000.
        C Berapa lama?
        A Ke dompet digital hari ini, ke bank dua sampai tiga hari kerja. Mau ke mana?
        C Dompet digital saja
        A +15 Sudah dikirim, silakan dicek.
        C Masuk. Terima kasih sudah cepat.
        = resolved | uang dikembalikan
        """,
        agent="budi", queue="indonesia", category="refund",
    ),
    script(
        "whatsapp", "Indah Permata", "3d 12:05", "Indah Permata",
        """
        C Kak, kaos ukuran L kekecilan. Bisa tukar XL?
        A +8 Bisa, Kak Indah. Labelnya masih ada?
        # ukuran
        C Masih, cuma dicoba sekali
        A Oke, kurir menjemput besok jam 10 sampai 12, XL-nya langsung dititip di kurir yang sama.
        C Praktis banget, makasih!
        C +1d Sudah ditukar kak, pas 👌
        = resolved
        """,
        agent="budi", queue="indonesia", category="support",
    ),
    script(
        "website", "Putri Lestari", "3d 19:20", "Biaya kirim ke Makassar",
        """
        C Berapa ongkos kirim 1 kg ke Makassar?
        B Rp 42.000 reguler (3–4 hari) atau Rp 68.000 kilat (1–2 hari). Gratis untuk belanja di atas Rp 400.000. (Sumber: Ongkos kirim)
        C Kalau 2 kg dua kali lipat?
        B Tidak: Rp 61.000 reguler. (Sumber: Ongkos kirim)
        C sip
        = resolved | dijawab asisten
        """,
    ),
    script(
        "email", "PT Cahaya Timur", "2d 08:45", "Faktur pajak belum kami terima",
        """
        C Selamat pagi, faktur pajak untuk pesanan bulan lalu belum kami terima. Mohon dikirim sebelum tanggal 10.
        A +55 Selamat pagi. NPWP di akun kami berakhiran 4. Di surat Bapak tertulis 9. Mana yang benar?
        # faktur
        C +1h Yang benar berakhiran 9, ada salah ketik saat pendaftaran.
        A +20 Sudah diperbaiki dan fakturnya dibuat ulang. Dikirim ke surel keuangan barusan.
        C +30 Diterima dengan baik, terima kasih.
        = closed | faktur dibuat ulang
        """,
        agent="budi", queue="indonesia", category="billing",
    ),
    script(
        "whatsapp", "Yusuf Hidayat", "2d 10:50", "Yusuf Hidayat",
        """
        C Min saya mau ambil langsung di toko, alamatnya di mana?
        B [location] -6.9034,107.6186 | Biji & Daun, Jalan Kenanga 12, Bandung
        C buka jam berapa
        B Senin sampai Sabtu, 08.00 sampai 18.00. (Sumber: Jam buka)
        C parkir mobil ada?
        B Saya tidak punya jawabannya. Saya teruskan ke rekan kami.
        A +5 Ada, Pak Yusuf, di belakang toko untuk enam mobil. Ini nomor tokonya kalau mau pesan dulu:
        A [contact] Toko Biji & Daun | +12025550199
        C oke makasih
        = resolved
        """,
        agent="budi", queue="indonesia",
    ),
    script(
        "telegram", "Wulan Sari", "2d 14:20", "Mesin kopi tidak menyala",
        """
        C Mesin Nonna 2 saya mati total, baru dipakai 3 bulan
        A +6 Halo Kak Wulan. Masih garansi ya. Lampu depannya menyala waktu dicolok?
        # garansi
        C Tidak sama sekali. Sudah coba stop kontak lain
        A Baik, itu biasanya sekringnya. Kami jemput dan perbaiki, sekitar 5 hari kerja. Alamatnya masih sama?
        C Masih. Boleh dijemput Jumat?
        A Jumat pagi, kurir kami bawa kardusnya juga.
        = waiting_for_customer | dijemput hari Jumat
        """,
        agent="budi", queue="indonesia", category="support", snoozed=True,
    ),
    script(
        "whatsapp", "Hendra Gunawan", "1d 09:35", "Hendra Gunawan",
        """
        C Tolong ya, paket saya dinyatakan "diterima Bu Ratna". Di rumah saya tidak ada Bu Ratna.
        A +5 Pagi Pak Hendra, saya tanyakan ke kurirnya sekarang.
        # pengiriman, urgent
        A +12 Kurir bilang dititip di rumah nomor 8, Pak.
        C Nomor 8 rumah kosong dari tahun lalu
        = escalated | paket diserahkan ke orang yang salah
        @ daniel
        N Sudah telepon kepala gudang. Foto serah terima buram, kurirnya dipanggil sore ini.
        S +2h Good afternoon Pak Hendra, Daniel here (sorry, my Indonesian is poor). We send the whole order again today, at no cost.
        C Baik, terima kasih Pak Daniel. Saya tunggu.
        = resolved | dikirim ulang
        C +3h Paket baru sudah sampai. Yang lama juga ketemu, ternyata di pos RT 😅
        """,
        agent="budi", queue="indonesia", category="support",
    ),
    script(
        "whatsapp", "Nadia Putri", "1d 13:00", "Nadia Putri",
        """
        C Kak, bisa pesan hampers untuk Lebaran? 20 kotak
        A +6 Bisa, Kak Nadia. Ada paket A (kopi + kacang mete, 165 ribu) dan paket B (teh + kue kering, 140 ribu).
        # hampers
        C Paket A 12, paket B 8. Bisa kartu ucapan beda-beda?
        A Bisa, kirim saja daftarnya dalam satu berkas. Totalnya 3.100.000, gratis ongkir dalam kota.
        C +2h Oke saya siapkan daftarnya malam ini
        = waiting_for_customer | menunggu daftar kartu
        """,
        agent="budi", queue="indonesia", category="sales",
    ),
    script(
        "whatsapp", "Rizky Maulana", "26m", "Rizky Maulana",
        """
        C Siang min, voucher ULTAH25 kok tidak bisa dipakai?
        B Voucher ULTAH25 berlaku di bulan ulang tahun, minimal belanja Rp 150.000. (Sumber: Voucher)
        C Ulang tahun saya bulan ini dan belanja 180 ribu
        B Saya tidak punya jawabannya. Saya teruskan ke rekan kami.
        A +4 Siang Mas Rizky, saya lihat dulu ya. Tanggal lahir di akun belum diisi, jadi sistemnya tidak tahu.
        # voucher
        C Oalah. Sudah saya isi barusan, coba ya
        """,
        agent="budi", queue="indonesia",
    ),
    script(
        "telegram", "Mega Saputra", "3m", "Tanya grosir",
        """
        C Selamat siang, saya mau tanya harga grosir kopi bubuk untuk warung
        C Sekitar 10 kg sebulan
        """,
        queue="indonesia", category="sales",
    ),
    script(
        "website", "Putri Lestari", "8m", "Alamat kirim baru",
        """
        C Halo, saya pindah rumah minggu depan. Ganti alamatnya di mana?
        B Di Akun → Alamat. Kiriman langganan berikutnya memakai alamat baru. (Sumber: Alamat)
        C Sudah. Tolong pastikan kotak tanggal 12 ke alamat baru ya
        """,
        queue="indonesia",
    ),
    script(
        "email", "Universitas Harapan", "2h", "Undangan pameran kewirausahaan",
        """
        C Yth. Biji & Daun, kami mengundang untuk membuka stan di pameran kewirausahaan tanggal 20. Mohon konfirmasi sebelum hari Jumat.
        """,
        queue="indonesia",
    ),
]
