#!/bin/sh
# Makes the demo's media beside this script: one minute of a test card with sound, as HLS VOD in fMP4 (CMAF,
# shared audio) and in MPEG-TS (muxed), and as one progressive MP4. Needs ffmpeg with libx264 and DejaVu fonts.
# Each picture is encoded once and then only repackaged, so all forms carry the same frames; one thread, so
# that the same ffmpeg makes the same bytes.
set -eu
cd "$(dirname "$0")"

SECONDS_TOTAL=60
SEGMENT_SECONDS=2
FPS=25
FONT=$(fc-match -f '%{file}' 'DejaVu Sans Mono:bold')
TEXT_FONT=$(fc-match -f '%{file}' 'DejaVu Sans')
OUT=media.new
WORK=$(mktemp -d)
trap 'rm -rf "$WORK" "$OUT"' EXIT
rm -rf "$OUT"
mkdir -p "$OUT"

# MPEG-TS segments end in .mpegts, not .ts: the tools of this repository would read them as TypeScript.
run() { ffmpeg -nostdin -hide_banner -loglevel error -y "$@"; }

# A test card that costs few bits: bars, a clock, the segment's number, a dot that goes round once a segment,
# a mark that lights with the pip of each second, and a timeline of thirty segments.
card() { # width height name
  w=$1 h=$2 name=$3
  bars='' i=0
  for colour in c0c0c0 c0c000 00c0c0 00c000 c000c0 c00000 0000c0; do
    bars="$bars,drawbox=x=$((w * i / 7)):y=0:w=$((w * (i + 1) / 7 - w * i / 7)):h=$((h * 24 / 100)):color=0x$colour:t=fill"
    i=$((i + 1))
  done
  ticks='' i=0
  while [ $i -le 30 ]; do
    ticks="$ticks,drawbox=x=$((w * 6 / 100 + w * 88 * i / 3000)):y=$((h * 85 / 100)):w=1:h=$((h * 3 / 100)):color=0x51606f:t=fill"
    i=$((i + 1))
  done
  mono="fontfile=$FONT:fontcolor=white"
  sans="fontfile=$TEXT_FONT:fontcolor=0xb9c6d3"
  echo "color=c=0x111a24:s=${w}x${h}:r=$FPS:d=$SECONDS_TOTAL$bars$ticks\
,drawbox=x=$((w * 6 / 100)):y=$((h * 84 / 100)):w=$((w * 88 / 100)):h=$((h / 100 > 1 ? h / 100 : 2)):color=0x51606f:t=fill\
,drawtext=$mono:text='%{pts\\:hms}':fontsize=$((h * 15 / 100)):x=w*0.06-tw/13:y=h*0.33\
,drawtext=$sans:text='$name':fontsize=$((h * 95 / 1000)):x=w*0.06:y=h*0.55\
,drawtext=$sans:text='segment %{eif\\:min(trunc(t/$SEGMENT_SECONDS)+1,30)\\:d\\:2} of 30':fontsize=$((h * 75 / 1000)):x=w*0.06:y=h*0.69\
,drawtext=fontfile=$TEXT_FONT:text=○:fontcolor=0x51606f:fontsize=$((h * 45 / 100)):x=w*0.87-tw/2:y=h*0.53-th/2\
,drawtext=fontfile=$TEXT_FONT:text=●:fontcolor=0xffb454:fontsize=$((h * 8 / 100))\
:x='w*0.87-tw/2+h*0.165*sin(2*PI*t/$SEGMENT_SECONDS)':y='h*0.53-th/2-h*0.165*cos(2*PI*t/$SEGMENT_SECONDS)'\
,drawtext=fontfile=$TEXT_FONT:text=●:fontcolor=0x5ad1a4:fontsize=$((h * 14 / 100)):x=w*0.87-tw/2:y=h*0.53-th/2:enable='lt(mod(t,1),0.12)'\
,drawtext=fontfile=$TEXT_FONT:text=▲:fontcolor=0xffb454:fontsize=$((h * 7 / 100)):x='w*0.06+w*0.88*t/$SECONDS_TOTAL-tw/2':y=h*0.89\
,format=yuv420p"
}

encode() { # index width height bit-rate-cap level
  run -f lavfi -i "$(card "$2" "$3" "$3p · $2×$3")" -map_metadata -1 -fflags +bitexact -flags:v +bitexact \
    -c:v libx264 -threads 1 -profile:v main -level:v "$5" -preset veryslow -tune animation -crf 24 -maxrate "$4k" -bufsize "$4k" -bf 0 \
    -x264-params "keyint=$((FPS * SEGMENT_SECONDS)):min-keyint=$((FPS * SEGMENT_SECONDS)):scenecut=0:open-gop=0" \
    -colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range tv "$WORK/v$1.mp4"
}
encode 0 640 360 150 3.0
encode 1 426 240 80 2.1
encode 2 256 144 45 1.2

# A quiet chord with a pip at each second; a hair under a minute, so that the last audio frames do not make a
# thirty-first segment.
run -f lavfi -i "aevalsrc=0.05*sin(2*PI*220*t)+0.04*sin(2*PI*277.18*t)+0.04*sin(2*PI*329.63*t)+0.25*sin(2*PI*880*t)*lt(mod(t\,1)\,0.12)*(1-mod(t\,1)/0.12):s=48000:d=59.96" \
  -map_metadata -1 -fflags +bitexact -flags:a +bitexact -c:a aac -b:a 32k -ac 1 "$WORK/a.mp4"

HLS="-c copy -map_metadata -1 -fflags +bitexact -f hls -hls_time $SEGMENT_SECONDS -hls_playlist_type vod -hls_list_size 0 -hls_flags independent_segments"
for v in v0 v1 v2; do
  mkdir -p "$OUT/fmp4/$v" "$OUT/ts/$v"
  run -i "$WORK/$v.mp4" $HLS -hls_segment_type fmp4 -hls_fmp4_init_filename init.mp4 \
    -hls_segment_filename "$OUT/fmp4/$v/seg-%d.m4s" "$OUT/fmp4/$v/index.m3u8"
  run -i "$WORK/$v.mp4" -i "$WORK/a.mp4" -map 0:v -map 1:a $HLS \
    -hls_segment_filename "$OUT/ts/$v/seg-%d.mpegts" "$OUT/ts/$v/index.m3u8"
done
mkdir -p "$OUT/fmp4/a0"
run -i "$WORK/a.mp4" $HLS -hls_segment_type fmp4 -hls_fmp4_init_filename init.mp4 \
  -hls_segment_filename "$OUT/fmp4/a0/seg-%d.m4s" "$OUT/fmp4/a0/index.m3u8"
run -i "$WORK/v0.mp4" -i "$WORK/a.mp4" -map 0:v -map 1:a -c copy -map_metadata -1 -fflags +bitexact \
  -movflags +faststart "$OUT/clip.mp4"

# Peak and mean bit rate of a rendition's segments, as `peak mean` (RFC 8216 §4.3.4.2 defines BANDWIDTH as the peak).
rates() { # directory
  awk -v dir="$1" '/^#EXTINF:/ { split($0, part, /[:,]/); seconds = part[2] }
    /^seg-/ { size = "stat -c %s " dir "/" $0; size | getline bytes; close(size); rate = bytes * 8 / seconds
      if (rate > peak) peak = rate; total += bytes * 8; time += seconds }
    END { printf "%d %d", peak + 1, total / time + 1 }' "$1/index.m3u8"
}
codec() { # file: profile, constraint flags and level are the three bytes after the version in the avcC box
  printf 'avc1.'
  LC_ALL=C grep -aobF avcC "$1" | head -1 | cut -d: -f1 | {
    read -r at
    od -An -tx1 -j $((at + 5)) -N 3 "$1" | tr -d ' \n'
  }
}

main_playlist() { # container version
  echo '#EXTM3U'
  echo "#EXT-X-VERSION:$2"
  echo '#EXT-X-INDEPENDENT-SEGMENTS'
  audio='' audio_peak=0 audio_mean=0
  if [ "$1" = fmp4 ]; then
    echo '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Sound",LANGUAGE="zxx",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="1",URI="a0/index.m3u8"'
    audio=',AUDIO="audio"'
    set -- "$1" "$2" $(rates "$OUT/fmp4/a0")
    audio_peak=$3 audio_mean=$4
  fi
  for row in v0:640x360 v1:426x240 v2:256x144; do
    v=${row%%:*}
    set -- "$1" "$2" $(rates "$OUT/$1/$v")
    echo "#EXT-X-STREAM-INF:BANDWIDTH=$(($3 + audio_peak)),AVERAGE-BANDWIDTH=$(($4 + audio_mean)),CODECS=\"$(codec "$OUT/fmp4/$v/init.mp4"),mp4a.40.2\",RESOLUTION=${row##*:},FRAME-RATE=$FPS.000$audio"
    echo "$v/index.m3u8"
  done
}
main_playlist fmp4 7 > "$OUT/fmp4/main.m3u8"
main_playlist ts 3 > "$OUT/ts/main.m3u8"

rm -rf media
mv "$OUT" media
du -sb media
