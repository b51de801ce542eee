// SPDX-License-Identifier: Apache-2.0
// Puts PNG pictures of one size side by side, each at half its width and height:
//   tessera-contact-sheet SHEET.png COLUMNS PICTURE.png...
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <png.h>

namespace {

constexpr unsigned channels = 3;  // PNG_FORMAT_RGB
constexpr unsigned gap = 12;      // pixels around each picture
constexpr std::uint8_t paper = 0x18;

struct Picture {
  unsigned width = 0;
  unsigned height = 0;
  std::vector<std::uint8_t> pixels = {};  ///< RGB, row by row

  Picture() = default;
  Picture(unsigned w, unsigned h)
      : width(w), height(h), pixels(std::size_t{w} * h * channels, paper) {}
  [[nodiscard]] std::uint8_t& at(unsigned x, unsigned y, unsigned channel) {
    return pixels[(std::size_t{y} * width + x) * channels + channel];
  }
};

png_image new_image() {
  png_image image;
  std::memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  return image;
}

bool read(const char* file, Picture& picture) {
  png_image image = new_image();
  if (png_image_begin_read_from_file(&image, file) != 0) {
    image.format = PNG_FORMAT_RGB;
    picture = Picture(image.width, image.height);
    if (png_image_finish_read(&image, nullptr, picture.pixels.data(), 0, nullptr) != 0) return true;
  }
  std::fprintf(stderr, "%s: %s\n", file, image.message);
  return false;
}

bool write(const char* file, const Picture& picture) {
  png_image image = new_image();
  image.width = picture.width;
  image.height = picture.height;
  image.format = PNG_FORMAT_RGB;
  if (png_image_write_to_file(&image, file, 0, picture.pixels.data(), 0, nullptr) != 0) return true;
  std::fprintf(stderr, "%s: %s\n", file, image.message);
  return false;
}

/// The picture at half its size: each pixel is the mean of four.
Picture halved(Picture& picture) {
  Picture half(picture.width / 2, picture.height / 2);
  for (unsigned y = 0; y < half.height; y++) {
    for (unsigned x = 0; x < half.width; x++) {
      for (unsigned c = 0; c < channels; c++) {
        const unsigned sum = 0U + picture.at(2 * x, 2 * y, c) + picture.at(2 * x + 1, 2 * y, c) +
                             picture.at(2 * x, 2 * y + 1, c) + picture.at(2 * x + 1, 2 * y + 1, c);
        half.at(x, y, c) = static_cast<std::uint8_t>(sum / 4);
      }
    }
  }
  return half;
}

void paste(Picture& from, unsigned left, unsigned top, Picture& sheet) {
  for (unsigned y = 0; y < from.height; y++) {
    std::memcpy(&sheet.at(left, top + y, 0), &from.at(0, y, 0), std::size_t{from.width} * channels);
  }
}

bool make_sheet(const char* file, unsigned columns, std::vector<Picture>& pictures) {
  const unsigned width = pictures.front().width;
  const unsigned height = pictures.front().height;
  const unsigned rows = (static_cast<unsigned>(pictures.size()) + columns - 1) / columns;
  Picture sheet(columns * (width + gap) + gap, rows * (height + gap) + gap);
  for (unsigned i = 0; i < pictures.size(); i++) {
    if (pictures[i].width != width || pictures[i].height != height) {
      std::fprintf(stderr, "picture %u has another size than the first\n", i + 1);
      return false;
    }
    paste(pictures[i], gap + i % columns * (width + gap), gap + i / columns * (height + gap),
          sheet);
  }
  return write(file, sheet);
}

}  // namespace

int main(int count, char** words) {
  unsigned columns = 0;
  if (count > 2) (void)std::from_chars(words[2], words[2] + std::strlen(words[2]), columns);
  if (count < 4 || columns < 1 || columns > 100) {
    std::fprintf(stderr, "usage: tessera-contact-sheet SHEET.png COLUMNS PICTURE.png...\n");
    return 64;
  }
  std::vector<Picture> pictures;
  for (int i = 3; i < count; i++) {
    Picture picture;
    if (!read(words[i], picture)) return 1;
    pictures.push_back(halved(picture));
  }
  return make_sheet(words[1], columns, pictures) ? 0 : 1;
}
